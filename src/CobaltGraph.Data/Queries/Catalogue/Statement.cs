using Npgsql;

namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>A statement as it was sent to the server.</summary>
/// <param name="Sql">The statement.</param>
/// <param name="Parameters">Its values, named or in order.</param>
internal sealed record Statement(string Sql, IReadOnlyList<NpgsqlParameter> Parameters);
