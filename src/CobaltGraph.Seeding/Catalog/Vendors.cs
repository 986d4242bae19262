namespace CobaltGraph.Seeding.Catalog;

/// <summary>
/// A manufacturer as the IEEE registry spells it, some of its OUIs, and how its devices name themselves. In a name,
/// {first} is a given name, {n} a number, {d} a digit, {win} what Windows makes up, {mac} the end of the MAC address.
/// </summary>
/// <param name="Name">The vendor.</param>
/// <param name="Ouis">The first three octets of its addresses.</param>
/// <param name="Hostnames">Patterns of host names.</param>
/// <param name="CloudHost">The service its devices report to, if it has one.</param>
internal sealed record Vendor(string Name, int[] Ouis, string[] Hostnames, string? CloudHost = null);

/// <summary>Well-known vendors: facts of the public IEEE registry.</summary>
internal static class Vendors
{
    public static readonly Vendor AppleMobile = new("Apple, Inc.", [0x608B0E, 0x88B291, 0xC42AD0, 0xCCD281], ["{first}s-iPhone", "iPhone"]);
    public static readonly Vendor AppleTablet = new("Apple, Inc.", [0x608B0E, 0x88B291, 0xC42AD0, 0xCCD281], ["{first}s-iPad", "iPad"]);
    public static readonly Vendor AppleMac = new("Apple, Inc.", [0x608B0E, 0x88B291, 0xC42AD0, 0xCCD281], ["{first}s-MacBook-Pro", "{first}s-MBP", "{first}s-Air"]);
    public static readonly Vendor AppleTv = new("Apple, Inc.", [0x608B0E, 0xCCD281], ["Apple-TV-{n}"]);
    public static readonly Vendor SamsungMobile = new("Samsung Electronics Co.,Ltd", [0x7C8956, 0x8C79F5, 0x88299C], ["Galaxy-S2{d}", "{first}s-S2{d}", "Galaxy-A5{d}"]);
    public static readonly Vendor SamsungTv = new("Samsung Electronics Co.,Ltd", [0x7C8956, 0x8C79F5], ["Samsung-TV-{n}"]);
    public static readonly Vendor Xiaomi = new("Xiaomi Communications Co Ltd", [0xA44519, 0xD09C7A, 0x70BBE9], ["Redmi-Note-1{d}", "Mi-1{d}"]);
    public static readonly Vendor Huawei = new("HUAWEI TECHNOLOGIES CO.,LTD", [0x30FBB8, 0x44D791, 0x8446FE], ["HUAWEI-P{n}"]);
    public static readonly Vendor OnePlus = new("OnePlus Technology (Shenzhen) Co., Ltd", [0x5C17CF, 0xAC5FEA], ["OnePlus-{d}"]);
    public static readonly Vendor GoogleMobile = new("Google, Inc.", [0x58CB52, 0x7CD95C, 0x3C8D20], ["Pixel-{d}", "{first}s-Pixel"]);
    public static readonly Vendor GoogleHome = new("Google, Inc.", [0x58CB52, 0x7CD95C, 0x883D24], ["Google-Home-{mac}", "Chromecast-{mac}"], "transport04.rts08.nest.com");
    public static readonly Vendor Intel = new("Intel Corporate", [0xACED5C, 0x34F64B, 0x9061AE, 0x00E18C], ["LAPTOP-{win}", "NB-{n}"]);
    public static readonly Vendor DellLaptop = new("Dell Inc.", [0x98E743, 0xC8F750, 0xDCF401], ["LAPTOP-{win}", "LT-{first}-{n}"]);
    public static readonly Vendor DellDesktop = new("Dell Inc.", [0x98E743, 0xC8F750, 0x6C2B59], ["DESKTOP-{win}", "WS-{n}"]);
    public static readonly Vendor DellServer = new("Dell Inc.", [0x98E743, 0x6C2B59], ["srv-app-{n}", "srv-db-{n}", "srv-file-{n}"]);
    public static readonly Vendor HpLaptop = new("HP Inc.", [0x040E3C, 0xF80DAC, 0x508140], ["LAPTOP-{win}", "NB-{n}"]);
    public static readonly Vendor HpDesktop = new("HP Inc.", [0x040E3C, 0x5C60BA], ["DESKTOP-{win}", "PC-{n}"]);
    public static readonly Vendor HpPrinter = new("Hewlett Packard", [0x9C7BEF, 0x10E7C6], ["NPI{mac}"]);
    public static readonly Vendor Lenovo = new("Lenovo", [0x10C595, 0xA41194], ["LAPTOP-{win}", "THINK-{n}"]);
    public static readonly Vendor Lcfc = new("LCFC(HeFei) Electronics Technology co., ltd", [0xE86A64, 0x902E16, 0x84A938], ["LAPTOP-{win}", "{first}-ThinkPad"]);
    public static readonly Vendor MicrosoftSurface = new("Microsoft Corporation", [0x70BC10, 0xF06E0B, 0x80C5E6], ["SURFACE-{win}"]);
    public static readonly Vendor Hpe = new("Hewlett Packard Enterprise", [0x4CAEA3, 0x484AE9, 0x808DB7], ["srv-hv-{n}", "srv-app-{n}"]);
    public static readonly Vendor SuperMicro = new("Super Micro Computer, Inc.", [0x0CC47A, 0x002590, 0xAC1F6B, 0x3CECEF], ["srv-node-{n}"]);
    public static readonly Vendor VMware = new("VMware, Inc.", [0x005056, 0x000C29], ["vm-dc-{n}", "vm-web-{n}", "vm-mail-{n}"]);
    public static readonly Vendor Synology = new("Synology Incorporated", [0x001132, 0x9009D0], ["DiskStation-{n}", "nas-{n}"]);
    public static readonly Vendor Qnap = new("QNAP Systems, Inc.", [0x245EBE, 0xE843B6], ["NAS{mac}"]);
    public static readonly Vendor Cisco = new("Cisco Systems, Inc", [0xF4BD9E, 0x084FA9, 0x084FF9, 0x308BB2], ["sw-{n}", "SEP{mac}"]);
    public static readonly Vendor CiscoSwitch = Cisco with { Hostnames = ["sw-core-{n}", "sw-floor-{n}"] };
    public static readonly Vendor CiscoRouter = Cisco with { Hostnames = ["gw-{n}"] };
    public static readonly Vendor CiscoPhone = Cisco with { Hostnames = ["SEP{mac}"] };
    public static readonly Vendor Juniper = new("Juniper Networks", [0x94F7AD, 0xE45D37, 0xCCE194], ["sw-ex-{n}"]);
    public static readonly Vendor Aruba = new("Aruba, a Hewlett Packard Enterprise Company", [0x883A30, 0x703A0E, 0xD8C7C8], ["ap-{n}"]);
    public static readonly Vendor Ubiquiti = new("Ubiquiti Networks Inc.", [0x7483C2, 0xE063DA, 0x802AA8, 0xF09FC2], ["U6-{n}", "uap-{n}"]);
    public static readonly Vendor UbiquitiSwitch = Ubiquiti with { Hostnames = ["USW-{n}"] };
    public static readonly Vendor Avm = new("AVM GmbH", [0xBC0543, 0x0024FE, 0xC02506], ["fritz.box"]);
    public static readonly Vendor Fortinet = new("Fortinet, Inc.", [0xAC712E, 0x085B0E, 0xD476A0], ["fw-{n}"]);
    public static readonly Vendor MikroTik = new("Routerboard.com", [0xB869F4, 0x000C42, 0x085531, 0x6C3B6B], ["MikroTik"]);
    public static readonly Vendor Brother = new("Brother industries, LTD.", [0x008077, 0x001BA9, 0x30055C], ["BRW{mac}", "BRN{mac}"]);
    public static readonly Vendor Canon = new("CANON INC.", [0x84BA3B, 0x60128B, 0x7438B7], ["Canon{mac}"]);
    public static readonly Vendor Epson = new("Seiko Epson Corporation", [0x50579C, 0x0026AB, 0xA4D73C], ["EPSON{mac}"]);
    public static readonly Vendor Ricoh = new("RICOH COMPANY,LTD.", [0x002673], ["RNP{mac}"]);
    public static readonly Vendor Kyocera = new("KYOCERA CORPORATION", [0x6C7660, 0x245FDF], ["KM{mac}"]);
    public static readonly Vendor Yealink = new("YEALINK(XIAMEN) NETWORK TECHNOLOGY CO.,LTD.", [0x805EC0, 0x805E0C, 0x249AD8], ["SIP-T4{d}-{mac}"]);
    public static readonly Vendor Polycom = new("Polycom", [0x64167F, 0x0004F2], ["Polycom_{mac}"]);
    public static readonly Vendor Hikvision = new("Hangzhou Hikvision Digital Technology Co.,Ltd.", [0x4447CC, 0x5803FB, 0x94E1AC, 0x64DB8B], ["cam-{n}"], "litdev.eu.hik-connect.com");
    public static readonly Vendor Axis = new("Axis Communications AB", [0xB8A44F, 0xACCC8E], ["axis-{mac}"], "dispatchse1-st.axis.com");
    public static readonly Vendor Espressif = new("Espressif Inc.", [0x246F28, 0x807D3A, 0x68C63A, 0x240AC4], ["ESP_{mac}", "shelly-{mac}", "tasmota-{mac}"], "m1.tuyaeu.com");
    public static readonly Vendor RaspberryPi = new("Raspberry Pi Trading Ltd", [0xDCA632, 0xE45F01, 0x28CDC1], ["raspberrypi", "pi-sensor-{n}"]);
    public static readonly Vendor RaspberryPiOld = new("Raspberry Pi Foundation", [0xB827EB], ["raspberrypi", "pi-gw-{n}"]);
    public static readonly Vendor Signify = new("Philips Lighting BV", [0x001788, 0xECB5FA], ["Philips-hue"], "ws.meethue.com");
    public static readonly Vendor Nest = new("Nest Labs Inc.", [0x641666, 0x18B430], ["Nest-{mac}"], "transport04.rts08.nest.com");
    public static readonly Vendor Sonos = new("Sonos, Inc.", [0x542A1B, 0x7828CA, 0xF0F6C1], ["SonosZP"], "msmetrics.ws.sonos.com");
    public static readonly Vendor Amazon = new("Amazon Technologies Inc.", [0x68DBF5, 0x4C1744, 0x7C6166], ["echo-{mac}"], "avs-alexa-eu.amazon.com");
    public static readonly Vendor Roku = new("Roku, Inc.", [0xB0A737, 0xD04D2C], ["Roku-{n}"]);
    public static readonly Vendor Lg = new("LG Electronics", [0x201742], ["LGwebOSTV"]);
    public static readonly Vendor SonyTv = new("Sony Corporation", [0x5453ED, 0xF0BF97], ["BRAVIA-{n}"]);
    public static readonly Vendor TpLink = new("TP-LINK TECHNOLOGIES CO.,LTD.", [0xD03745, 0x603A7C, 0x54A703], ["HS110-{mac}", "Archer-{n}"], "euw1-device.tplinkcloud.com");
    public static readonly Vendor Siemens = new("Siemens AG", [0xEC1C5D, 0x000E8C, 0x286336], ["plc-{n}", "S7-1500-{n}"]);
    public static readonly Vendor Rockwell = new("Rockwell Automation", [0x086195, 0x0000BC, 0x5C8816, 0x34C0F9], ["CLX-{n}"]);
    public static readonly Vendor Beckhoff = new("Beckhoff Automation GmbH", [0x000105], ["CX-{mac}"]);
    public static readonly Vendor Wago = new("WAGO Kontakttechnik GmbH", [0x0030DE], ["PFC200-{mac}"]);
    public static readonly Vendor PhoenixContact = new("PHOENIX CONTACT Electronics GmbH", [0xA8741D, 0x00A045], ["axc-{n}"]);
    public static readonly Vendor Mitsubishi = new("Mitsubishi Electric Corporation", [0x38E08E, 0x104B46, 0x58528A], ["melsec-{n}"]);
    public static readonly Vendor Moxa = new("MOXA TECHNOLOGIES CORP., LTD.", [0x0090E8], ["MGate-{n}"]);
    public static readonly Vendor Schneider = new("Schneider Electric", [0x001100], ["M340-{n}"]);
    public static readonly Vendor Zebra = new("Zebra Technologies Inc", [0x84248D, 0x002368], ["ZBR{mac}"]);
}
