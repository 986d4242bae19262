using System.Data;
using System.Globalization;
using System.Net.NetworkInformation;
using CobaltGraph.Model;
using Dapper;
using Npgsql;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>A statement with its values, for Npgsql and for Dapper.</summary>
/// <param name="Text">The statement; values stand as $1, $2, …</param>
/// <param name="Values">The values.</param>
internal sealed record SqlQuery(string Text, params IReadOnlyList<object> Values) : SqlMapper.IDynamicParameters
{
    public NpgsqlCommand CreateCommand(NpgsqlDataSource dataSource) => Fill(dataSource.CreateCommand(Text));

    public NpgsqlCommand CreateCommand(NpgsqlConnection connection) => Fill(new NpgsqlCommand(Text, connection));

    public void AddParameters(IDbCommand command, SqlMapper.Identity identity)
    {
        foreach (var value in Values)
            command.Parameters.Add(Parameter(value));
    }

    private NpgsqlCommand Fill(NpgsqlCommand command)
    {
        foreach (var value in Values)
            command.Parameters.Add(Parameter(value));
        return command;
    }

    private static NpgsqlParameter Parameter(object value) => value switch
    {
        MacAddress mac => new NpgsqlParameter<PhysicalAddress> { TypedValue = mac.ToPhysicalAddress() },
        DateTimeOffset time => new NpgsqlParameter<DateTime> { TypedValue = time.UtcDateTime },
        _ => new NpgsqlParameter { Value = value },
    };

    /// <summary>Collects the values of a statement that is put together of conditions.</summary>
    public sealed class Builder
    {
        private readonly List<object> _values = [];

        /// <summary>The place of a value; of an equal one the same place.</summary>
        public string Add(object value)
        {
            _values.Add(value);
            return string.Create(CultureInfo.InvariantCulture, $"${_values.Count}");
        }

        public SqlQuery Build(string text) => new(text, [.. _values]);
    }
}
