using System.Net;
using System.Net.NetworkInformation;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>Values of a row that may be NULL.</summary>
internal static class RowValue
{
    public static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static T? Of<T>(NpgsqlDataReader row, int column)
        where T : struct
        => row.IsDBNull(column) ? null : row.GetFieldValue<T>(column);

    public static IPAddress? Address(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<IPAddress>(column);

    public static MacAddress? Mac(NpgsqlDataReader row, int column)
        => row.IsDBNull(column) ? null : MacAddress.FromPhysicalAddress(row.GetFieldValue<PhysicalAddress>(column));
}
