using CobaltGraph.Seeding.Catalog;

namespace CobaltGraph.Seeding.Recipes;

/// <summary>A kind of device: who builds it, when it is busy, what it talks to.</summary>
internal sealed record Role(string DeviceType, int Vlan, Rhythm Rhythm, double Rate)
{
    public required (Vendor Vendor, double Weight)[] Vendors { get; init; }

    public required (Flow Flow, double Weight)[] Flows { get; init; }

    /// <summary>The share that hides behind a locally administered MAC address.</summary>
    public double Randomised { get; init; }

    /// <summary>The share whose type nobody has recognised yet.</summary>
    public double Unrecognised { get; init; }

    /// <summary>The share that gets another address during a week.</summary>
    public double Renewing { get; init; }

    /// <summary>The share that is there for a day only.</summary>
    public double Visiting { get; init; }

    public bool SpeaksV6 { get; init; }

    /// <summary>Whether it answers ARP day and night.</summary>
    public bool NeverSleeps => Rhythm == Rhythm.Always || Rhythm == Rhythm.Server;
}

internal static class Roles
{
    private static readonly (Flow, double)[] PersonalFlows =
    [
        (Flow.Https, 40), (Flow.Quic, 20), (Flow.Http, 3), (Flow.Dns, 18), (Flow.PublicDns, 1), (Flow.DnsOverTls, 1), (Flow.Imap, 3),
        (Flow.Submission, 0.5), (Flow.Call, 1.5), (Flow.Stream, 2), (Flow.Update, 1.2), (Flow.Ntp, 1), (Flow.MulticastDns, 1.5),
        (Flow.Ssdp, 0.5), (Flow.Ping, 0.3),
    ];

    private static readonly (Flow, double)[] WorkFlows =
    [
        .. PersonalFlows,
        (Flow.Smb, 3), (Flow.Ldap, 1.5), (Flow.Kerberos, 1), (Flow.Intranet, 4), (Flow.Print, 0.8), (Flow.Code, 0.8), (Flow.Database, 0.4),
    ];

    private static readonly (Flow, double)[] NetworkFlows =
        [(Flow.Syslog, 30), (Flow.Ntp, 20), (Flow.PublicDns, 12), (Flow.Update, 1), (Flow.Ping, 8), (Flow.CloudHttps, 6)];

    public static readonly Role Router = new("router", 1, Rhythm.Always, 3)
    {
        Vendors = [(Vendors.Avm, 3), (Vendors.Fortinet, 3), (Vendors.MikroTik, 2), (Vendors.CiscoRouter, 2), (Vendors.Juniper, 1)],
        Flows = [(Flow.PublicDns, 60), (Flow.Ntp, 12), (Flow.Syslog, 8), (Flow.Update, 1), (Flow.Ping, 4)],
    };

    public static readonly Role Switch = new("switch", 1, Rhythm.Always, 0.4)
    {
        Vendors = [(Vendors.CiscoSwitch, 4), (Vendors.Juniper, 1), (Vendors.UbiquitiSwitch, 2), (Vendors.Hpe with { Hostnames = ["sw-{n}"] }, 2)],
        Flows = NetworkFlows,
    };

    public static readonly Role AccessPoint = new("access_point", 1, Rhythm.Always, 0.5)
    {
        Vendors = [(Vendors.Ubiquiti, 4), (Vendors.Aruba, 4), (Vendors.TpLink with { Hostnames = ["EAP-{n}"] }, 1)],
        Flows = NetworkFlows,
    };

    public static readonly Role Server = new("server", 2, Rhythm.Server, 6)
    {
        Vendors = [(Vendors.DellServer, 4), (Vendors.Hpe, 3), (Vendors.SuperMicro, 2), (Vendors.VMware, 5)],
        Flows =
        [
            (Flow.Https, 18), (Flow.Database, 22), (Flow.Dns, 20), (Flow.PublicDns, 2), (Flow.Update, 3), (Flow.Backup, 1.5), (Flow.Ntp, 5),
            (Flow.Submission, 3), (Flow.Snmp, 10), (Flow.Ldap, 6), (Flow.Syslog, 5), (Flow.Ping, 3), (Flow.Code, 1),
        ],
        SpeaksV6 = true,
    };

    public static readonly Role Storage = new("nas", 2, Rhythm.Server, 2)
    {
        Vendors = [(Vendors.Synology, 3), (Vendors.Qnap, 2)],
        Flows = [(Flow.Https, 20), (Flow.Dns, 20), (Flow.Update, 4), (Flow.Ntp, 6), (Flow.Submission, 2), (Flow.MulticastDns, 8), (Flow.Ssdp, 4)],
        SpeaksV6 = true,
    };

    public static readonly Role Desktop = new("desktop", 10, Rhythm.Office, 4)
    {
        Vendors = [(Vendors.DellDesktop, 4), (Vendors.HpDesktop, 4), (Vendors.Lenovo with { Hostnames = ["DESKTOP-{win}"] }, 2)],
        Flows = WorkFlows,
        Renewing = 0.05,
        SpeaksV6 = true,
    };

    public static readonly Role Laptop = new("laptop", 10, Rhythm.Office, 4)
    {
        Vendors =
        [
            (Vendors.AppleMac, 4), (Vendors.Intel, 5), (Vendors.DellLaptop, 3), (Vendors.HpLaptop, 3), (Vendors.Lenovo, 2), (Vendors.Lcfc, 2),
            (Vendors.MicrosoftSurface, 1),
        ],
        Flows = WorkFlows,
        Randomised = 0.12,
        Renewing = 0.25,
        SpeaksV6 = true,
    };

    public static readonly Role Mobile = new("mobile", 20, Rhythm.Office, 2)
    {
        Vendors =
        [
            (Vendors.AppleMobile, 9), (Vendors.SamsungMobile, 7), (Vendors.Xiaomi, 3), (Vendors.Huawei, 1), (Vendors.OnePlus, 1),
            (Vendors.GoogleMobile, 2),
        ],
        Flows = [.. PersonalFlows, (Flow.Push, 5)],
        Randomised = 0.6,
        Unrecognised = 0.08,
        Renewing = 0.4,
        Visiting = 0.2,
        SpeaksV6 = true,
    };

    public static readonly Role Tablet = Mobile with
    {
        DeviceType = "tablet",
        Rate = 1.2,
        Vendors = [(Vendors.AppleTablet, 6), (Vendors.SamsungMobile with { Hostnames = ["Galaxy-Tab-S{d}"] }, 3)],
        Randomised = 0.5,
        Visiting = 0.05,
    };

    public static readonly Role Printer = new("printer", 30, Rhythm.Office, 0.4)
    {
        Vendors =
        [
            (Vendors.HpPrinter, 4), (Vendors.Brother, 3), (Vendors.Canon, 2), (Vendors.Epson, 1), (Vendors.Ricoh, 1), (Vendors.Kyocera, 2),
        ],
        Flows = [(Flow.Dns, 10), (Flow.MulticastDns, 12), (Flow.CloudHttps, 6), (Flow.Ntp, 4), (Flow.Submission, 1), (Flow.Smb, 2), (Flow.Ssdp, 3)],
    };

    public static readonly Role Phone = new("phone", 31, Rhythm.Office, 0.8)
    {
        Vendors = [(Vendors.Yealink, 4), (Vendors.Polycom, 2), (Vendors.CiscoPhone, 3)],
        Flows = [(Flow.Sip, 40), (Flow.Rtp, 10), (Flow.Ntp, 8), (Flow.Dns, 12), (Flow.Update, 0.5)],
        Renewing = 0.03,
    };

    public static readonly Role Camera = new("camera", 40, Rhythm.Always, 1)
    {
        Vendors = [(Vendors.Hikvision, 5), (Vendors.Axis, 3)],
        Flows = [(Flow.Rtsp, 40), (Flow.CloudVideo, 2), (Flow.CloudHttps, 8), (Flow.Ntp, 12), (Flow.Dns, 10), (Flow.Ssdp, 4)],
    };

    public static readonly Role Television = new("tv", 41, Rhythm.Screen, 1.2)
    {
        Vendors = [(Vendors.SamsungTv, 4), (Vendors.Lg, 3), (Vendors.SonyTv, 2), (Vendors.AppleTv, 3), (Vendors.Roku, 1)],
        Flows = [(Flow.Stream, 16), (Flow.Https, 20), (Flow.Quic, 6), (Flow.Dns, 18), (Flow.MulticastDns, 8), (Flow.Ssdp, 6), (Flow.Ntp, 2), (Flow.Update, 0.6)],
        Renewing = 0.1,
        SpeaksV6 = true,
    };

    public static readonly Role Iot = new("iot", 41, Rhythm.Always, 1)
    {
        Vendors =
        [
            (Vendors.Espressif, 8), (Vendors.Signify, 3), (Vendors.Nest, 2), (Vendors.Sonos, 3), (Vendors.Amazon, 3), (Vendors.TpLink, 3),
            (Vendors.GoogleHome, 3), (Vendors.RaspberryPi, 2), (Vendors.RaspberryPiOld, 1),
        ],
        Flows = [(Flow.CloudMqtt, 24), (Flow.CloudHttps, 14), (Flow.Dns, 14), (Flow.Ntp, 12), (Flow.MulticastDns, 8), (Flow.Ssdp, 4)],
        Unrecognised = 0.1,
        Renewing = 0.12,
    };

    public static readonly Role Sensor = Iot with
    {
        Vlan = 50,
        Vendors = [(Vendors.Espressif, 8), (Vendors.RaspberryPi, 3), (Vendors.RaspberryPiOld, 1), (Vendors.Moxa, 2), (Vendors.Zebra, 1)],
        Flows = [(Flow.LocalMqtt, 50), (Flow.Ntp, 10), (Flow.Dns, 6), (Flow.CloudMqtt, 2)],
        Renewing = 0.04,
    };

    public static readonly Role Controller = new("plc", 51, Rhythm.Always, 1.5)
    {
        Vendors =
        [
            (Vendors.Siemens, 6), (Vendors.Rockwell, 3), (Vendors.Beckhoff, 2), (Vendors.Wago, 1), (Vendors.PhoenixContact, 1),
            (Vendors.Mitsubishi, 2), (Vendors.Schneider, 1),
        ],
        Flows = [(Flow.S7, 14), (Flow.Modbus, 10), (Flow.EtherNetIp, 6), (Flow.LocalMqtt, 8), (Flow.Ntp, 3), (Flow.Syslog, 2)],
    };

    public static readonly Role Panel = new("hmi", 51, Rhythm.Shift, 3)
    {
        Vendors = [(Vendors.Siemens with { Hostnames = ["TP1200-{n}"] }, 4), (Vendors.Beckhoff with { Hostnames = ["CP-{mac}"] }, 1), (Vendors.DellDesktop with { Hostnames = ["SCADA-{n}"] }, 2)],
        Flows = [(Flow.S7, 20), (Flow.OpcUa, 16), (Flow.Modbus, 10), (Flow.EtherNetIp, 6), (Flow.Database, 4), (Flow.Dns, 3), (Flow.Ntp, 2)],
    };
}
