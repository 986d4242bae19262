namespace CobaltGraph.Data.Configurations;

internal static class MacRule
{
    /// <summary>True for a MAC address that can be a device: unicast and not all-zero. The I/G bit is the lowest of the first octet.</summary>
    public static string Sql(string column)
        => $"({column} & '01:00:00:00:00:00'::macaddr) = '00:00:00:00:00:00'::macaddr AND {column} <> '00:00:00:00:00:00'::macaddr";
}
