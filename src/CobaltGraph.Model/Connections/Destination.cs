using System.Net;

namespace CobaltGraph.Model;

/// <summary>
/// What connections ever said of a destination: one row for each different combination of address, port, protocol,
/// country, organisation and hostname. Text search and rare combinations are looked up here, and lead to connections by
/// address. Kept by the database from the connections, and kept beyond them.
/// </summary>
public class Destination
{
    /// <summary>The address.</summary>
    public IPAddress DstIp { get; set; } = IPAddress.None;

    /// <summary>The port, 0 to 65535.</summary>
    public int DstPort { get; set; }

    /// <summary>The protocol as connections name it; empty when none did.</summary>
    public string Protocol { get; set; } = "";

    /// <summary>ISO 3166-1 alpha-2; empty when unknown.</summary>
    public string DstCountry { get; set; } = "";

    /// <summary>The organisation that holds the address; empty when unknown.</summary>
    public string DstOrg { get; set; } = "";

    /// <summary>The name by which the address was reached; empty when unknown.</summary>
    public string DstHostname { get; set; } = "";
}
