namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>A question of the query layer with its arguments.</summary>
/// <param name="Query">What is asked; calls of one name differ in their values only.</param>
/// <param name="Kind">What is promised of its time.</param>
/// <param name="Values">Which values it is asked with.</param>
/// <param name="Method">The member that is called, as <c>IConnectionQueries.SearchAsync</c>.</param>
/// <param name="Arguments">What it is called with, of a type that belongs to the method.</param>
/// <param name="RunAsync">Asks; the result is what the member returns.</param>
internal sealed record QueryCall(
    string Query, QueryKind Kind, QueryValues Values, string Method, object Arguments, Func<QueryLayer, CancellationToken, Task<object>> RunAsync)
{
    /// <summary>Makes the call of the page that follows a result of this one; null when none follows.</summary>
    public Func<object, QueryCall?>? Following { get; init; }

    /// <summary>Rows of a result; the parts of a device's detail are counted each.</summary>
    public required Func<object, long> RowsOf { get; init; }
}
