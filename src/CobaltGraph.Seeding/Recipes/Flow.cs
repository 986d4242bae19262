using CobaltGraph.Seeding.Catalog;
using CobaltGraph.Seeding.Randomness;

namespace CobaltGraph.Seeding.Recipes;

/// <summary>Whom a flow goes to.</summary>
internal enum Peer
{
    /// <summary>A web site: the site's favourites, and some of the device's own.</summary>
    Web,

    /// <summary>A well-known destination of the flow's use.</summary>
    Known,

    /// <summary>The one cloud service that this device was built for.</summary>
    OwnCloud,

    Gateway,
    Server,
    Storage,
    Printer,
    Recorder,
    Controller,
    Infrastructure,
    MulticastDns,
    Ssdp,
}

/// <summary>A kind of connection: what the protocol and port make plausible.</summary>
internal sealed record Flow(
    string Protocol, int Port, string? Service, Peer Peer, Spread Sent, Spread Received, Spread Milliseconds, Use Use = Use.Web)
{
    /// <summary>More ports after the first.</summary>
    public int PortSpan { get; init; }

    /// <summary>The chance that nobody answers.</summary>
    public double Failure { get; init; } = 0.015;

    public static readonly Flow Https = new("TCP", 443, "ssl", Peer.Web, new(2_200, 1.6), new(18_000, 2.6), new(9_000, 2.6));
    public static readonly Flow Quic = new("UDP", 443, "quic", Peer.Web, new(3_500, 1.6), new(30_000, 2.6), new(14_000, 2.4));
    public static readonly Flow Http = new("TCP", 80, "http", Peer.Web, new(600, 1.2), new(6_000, 2.6), new(900, 2.4)) { Failure = 0.03 };
    public static readonly Flow Dns = new("UDP", 53, "dns", Peer.Gateway, new(42, 0.5), new(130, 1.0), new(14, 1.8)) { Failure = 0.01 };
    public static readonly Flow PublicDns = new("UDP", 53, "dns", Peer.Known, new(42, 0.5), new(130, 1.0), new(24, 1.4), Use.Resolver) { Failure = 0.01 };
    public static readonly Flow DnsOverTls = new("TCP", 853, "ssl", Peer.Known, new(1_100, 1.0), new(5_200, 1.0), new(12_000, 2.0), Use.Resolver);
    public static readonly Flow Ntp = new("UDP", 123, "ntp", Peer.Known, new(48, 0.01), new(48, 0.01), new(26, 1.2), Use.Time) { Failure = 0.02 };
    public static readonly Flow Imap = new("TCP", 993, "ssl", Peer.Known, new(3_000, 1.4), new(16_000, 2.6), new(60_000, 2.6), Use.Mail);
    public static readonly Flow Submission = new("TCP", 587, "smtp", Peer.Known, new(40_000, 3.0), new(1_300, 0.8), new(2_500, 1.4), Use.Mail);
    public static readonly Flow Push = new("TCP", 5223, "ssl", Peer.Known, new(2_400, 1.4), new(4_800, 1.4), new(1_500_000, 2.0), Use.Push);
    public static readonly Flow Call = new("UDP", 3478, "stun", Peer.Known, new(9_000_000, 3.0), new(12_000_000, 3.0), new(700_000, 2.2), Use.Call) { PortSpan = 3 };
    public static readonly Flow Stream = new("TCP", 443, "ssl", Peer.Known, new(42_000, 1.6), new(28_000_000, 2.6), new(220_000, 2.2), Use.Stream);
    public static readonly Flow Update = new("TCP", 443, "ssl", Peer.Known, new(9_000, 1.4), new(5_500_000, 3.2), new(22_000, 2.2), Use.Update);
    public static readonly Flow Code = new("TCP", 22, "ssh", Peer.Known, new(9_000, 2.4), new(32_000, 3.4), new(12_000, 3.0), Use.Code);
    public static readonly Flow CloudMqtt = new("TCP", 8883, "ssl", Peer.OwnCloud, new(1_500, 1.4), new(1_200, 1.2), new(240_000, 2.4));
    public static readonly Flow CloudHttps = new("TCP", 443, "ssl", Peer.OwnCloud, new(1_900, 1.6), new(5_200, 1.6), new(1_300, 1.8));
    public static readonly Flow CloudVideo = new("TCP", 443, "ssl", Peer.OwnCloud, new(3_500_000, 2.4), new(46_000, 1.8), new(160_000, 2.2));
    public static readonly Flow Sip = new("UDP", 5060, "sip", Peer.Known, new(1_400, 0.8), new(1_600, 0.8), new(32_000, 1.4), Use.Voice);
    public static readonly Flow Rtp = new("UDP", 16_384, "rtp", Peer.Known, new(1_500_000, 2.2), new(1_500_000, 2.2), new(150_000, 2.0), Use.Voice) { PortSpan = 16_000 };
    public static readonly Flow Ping = new("ICMP", 0, null, Peer.Gateway, new(224, 1.2), new(224, 1.2), new(3_000, 1.2)) { Failure = 0.02 };
    public static readonly Flow Smb = new("TCP", 445, "smb", Peer.Storage, new(90_000, 3.2), new(420_000, 3.6), new(40_000, 2.8));
    public static readonly Flow Backup = new("TCP", 873, "rsync", Peer.Storage, new(160_000_000, 3.0), new(900_000, 2.0), new(600_000, 2.0));
    public static readonly Flow Ldap = new("TCP", 389, "ldap", Peer.Server, new(900, 1.0), new(3_600, 1.6), new(180, 1.8));
    public static readonly Flow Kerberos = new("TCP", 88, "krb_tcp", Peer.Server, new(1_700, 0.4), new(1_800, 0.4), new(12, 1.0));
    public static readonly Flow Intranet = new("TCP", 443, "ssl", Peer.Server, new(2_600, 1.6), new(42_000, 2.6), new(1_500, 2.2));
    public static readonly Flow Database = new("TCP", 5432, "postgresql", Peer.Server, new(9_000, 2.4), new(90_000, 3.4), new(30_000, 3.0));
    public static readonly Flow Print = new("TCP", 9100, null, Peer.Printer, new(700_000, 2.6), new(220, 0.8), new(6_000, 1.6)) { Failure = 0.05 };
    public static readonly Flow Syslog = new("UDP", 514, "syslog", Peer.Server, new(2_200, 2.0), new(1, 0.01), new(30_000, 2.0)) { Failure = 1 };
    public static readonly Flow Snmp = new("UDP", 161, "snmp", Peer.Infrastructure, new(600, 0.8), new(2_400, 1.2), new(60, 1.2));
    public static readonly Flow Rtsp = new("TCP", 554, "rtsp", Peer.Recorder, new(55_000_000, 1.8), new(120_000, 1.2), new(280_000, 1.2));
    public static readonly Flow LocalMqtt = new("TCP", 1883, "mqtt", Peer.Server, new(700, 1.2), new(380, 1.0), new(30_000, 2.0));
    public static readonly Flow Modbus = new("TCP", 502, "modbus", Peer.Controller, new(900, 1.2), new(1_300, 1.2), new(5_000, 1.4));
    public static readonly Flow S7 = new("TCP", 102, "s7comm", Peer.Controller, new(1_500, 1.4), new(3_800, 1.4), new(8_000, 1.4));
    public static readonly Flow EtherNetIp = new("TCP", 44_818, "enip", Peer.Controller, new(800, 1.0), new(1_200, 1.0), new(4_000, 1.4));
    public static readonly Flow OpcUa = new("TCP", 4_840, "opcua_binary", Peer.Controller, new(3_600, 1.6), new(9_000, 1.8), new(20_000, 1.8));
    public static readonly Flow MulticastDns = new("UDP", 5353, "dns", Peer.MulticastDns, new(260, 1.4), new(1, 0.01), new(900, 2.0)) { Failure = 1 };
    public static readonly Flow Ssdp = new("UDP", 1900, null, Peer.Ssdp, new(680, 0.8), new(1, 0.01), new(3_000, 1.2)) { Failure = 1 };
}
