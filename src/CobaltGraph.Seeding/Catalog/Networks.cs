using static CobaltGraph.Seeding.Catalog.Places;

namespace CobaltGraph.Seeding.Catalog;

/// <summary>What a destination is used for.</summary>
internal enum Use
{
    Web,
    Stream,
    Mail,
    Call,
    Voice,
    Update,
    IotCloud,
    Resolver,
    Time,
    Code,
    Push,
}

/// <summary>An address block of an organisation at one place.</summary>
/// <param name="Organisation">The holder of the addresses.</param>
/// <param name="V4">A well-known block of it, in CIDR notation.</param>
/// <param name="V6">The first 32 to 48 bits of its IPv6 addresses, or null.</param>
/// <param name="Place">Where it answers from.</param>
internal sealed record Network(string Organisation, string V4, string? V6, Place Place);

/// <summary>A destination that everybody knows, by name. An address is made up inside the network.</summary>
internal sealed record Famous(Use Use, string Hostname, Network Network, string? Address = null, string? AddressV6 = null);

internal static class Networks
{
    private static readonly Network GoogleUs = new("Google LLC", "142.250.0.0/17", "2607:f8b0:4000", MountainView);
    private static readonly Network GoogleEu = new("Google LLC", "142.250.128.0/17", "2a00:1450:4001", Frankfurt);
    private static readonly Network MicrosoftEu = new("Microsoft Corporation", "52.97.128.0/17", "2603:1026:0c00", Amsterdam);
    private static readonly Network MicrosoftUs = new("Microsoft Corporation", "13.107.0.0/16", "2620:01ec:0000", Redmond);
    private static readonly Network Apple = new("Apple Inc.", "17.248.0.0/16", "2620:0149:0a00", Cupertino);
    private static readonly Network Meta = new("Facebook, Inc.", "157.240.0.0/17", "2a03:2880:f100", Dublin);
    private static readonly Network Netflix = new("Netflix Streaming Services Inc.", "45.57.0.0/17", "2a00:86c0:0000", London);
    private static readonly Network Akamai = new("Akamai Technologies, Inc.", "23.32.0.0/16", "2a02:26f0:3500", Frankfurt);
    private static readonly Network AkamaiUs = new("Akamai Technologies, Inc.", "23.64.0.0/16", "2600:1400:000a", Dallas);
    private static readonly Network Fastly = new("Fastly, Inc.", "151.101.0.0/16", "2a04:4e40:0000", London);
    private static readonly Network Cloudflare = new("Cloudflare, Inc.", "104.16.0.0/14", "2606:4700:0000", Ashburn);
    private static readonly Network CloudFront = new("Amazon.com, Inc.", "13.224.0.0/16", "2600:9000:2000", Paris);
    private static readonly Network AwsFrankfurt = new("Amazon.com, Inc.", "3.120.0.0/14", "2a05:d014:0000", Frankfurt);
    private static readonly Network AwsDublin = new("Amazon.com, Inc.", "34.240.0.0/13", "2a05:d018:0000", Dublin);
    private static readonly Network AwsVirginia = new("Amazon.com, Inc.", "3.208.0.0/12", "2600:1f18:0000", Ashburn);
    private static readonly Network AwsOregon = new("Amazon.com, Inc.", "34.208.0.0/12", "2600:1f14:0000", Boardman);
    private static readonly Network AwsMumbai = new("Amazon.com, Inc.", "13.232.0.0/14", "2406:da1a:0000", Mumbai);
    private static readonly Network AwsSydney = new("Amazon.com, Inc.", "13.54.0.0/15", "2406:da1c:0000", Sydney);
    private static readonly Network Hetzner = new("Hetzner Online GmbH", "88.198.0.0/16", "2a01:04f8:0000", Falkenstein);
    private static readonly Network HetznerFi = new("Hetzner Online GmbH", "95.216.0.0/16", "2a01:04f9:0000", Helsinki);
    private static readonly Network Ovh = new("OVH SAS", "51.68.0.0/16", "2001:41d0:0000", Roubaix);
    private static readonly Network OvhCanada = new("OVH Hosting, Inc.", "158.69.0.0/16", "2607:5300:0000", Montreal);
    private static readonly Network DigitalOcean = new("DigitalOcean, LLC", "167.99.0.0/17", "2604:a880:0000", NewYork);
    private static readonly Network DigitalOceanEu = new("DigitalOcean, LLC", "167.99.128.0/17", "2a03:b0c0:0000", Amsterdam);
    private static readonly Network LeaseWeb = new("LeaseWeb Netherlands B.V.", "85.17.0.0/16", "2001:1af8:0000", Amsterdam);
    private static readonly Network Scaleway = new("SCALEWAY S.A.S.", "163.172.0.0/16", "2001:0bc8:0000", Paris);
    private static readonly Network Fasthosts = new("Fasthosts Internet Limited", "88.208.192.0/18", null, London);
    private static readonly Network Telekom = new("Deutsche Telekom AG", "80.128.0.0/12", "2003:0000:00e0", Berlin);
    private static readonly Network Yandex = new("YANDEX LLC", "77.88.0.0/18", "2a02:06b8:0000", Moscow);
    private static readonly Network Tencent = new("Tencent Cloud Computing", "119.28.0.0/16", "240d:c000:0000", HongKong);
    private static readonly Network Alibaba = new("Alibaba (US) Technology Co., Ltd.", "47.88.0.0/16", "240b:4000:0000", Singapore);
    private static readonly Network AlibabaCn = new("Hangzhou Alibaba Advertising Co.,Ltd.", "47.96.0.0/15", "2408:4000:0000", Hangzhou);
    private static readonly Network Sakura = new("SAKURA Internet Inc.", "133.242.0.0/16", "2403:3a00:0000", Osaka);
    private static readonly Network Naver = new("NAVER Corp.", "223.130.192.0/20", null, Seoul);
    private static readonly Network Locaweb = new("Locaweb Serviços de Internet S/A", "186.202.0.0/16", null, SaoPaulo);
    private static readonly Network Afrihost = new("Afrihost (Pty) Ltd", "169.0.0.0/16", null, Johannesburg);
    private static readonly Network Zoom = new("Zoom Video Communications, Inc", "170.114.0.0/16", "2407:30c0:0180", Ashburn);
    private static readonly Network GitHub = new("GitHub, Inc.", "140.82.112.0/20", null, Ashburn);
    private static readonly Network Sipgate = new("sipgate GmbH", "217.10.64.0/20", "2001:0ab7:0000", Duesseldorf);
    private static readonly Network Quad9 = new("Quad9", "9.9.9.0/24", "2620:00fe:0000", Zurich);
    private static readonly Network Ptb = new("Physikalisch-Technische Bundesanstalt", "192.53.103.0/24", null, Braunschweig);
    private static readonly Network Ubiquiti = new("Amazon.com, Inc.", "54.184.0.0/14", null, Boardman);

    /// <summary>Where the long tail of small sites is hosted, with how common each is.</summary>
    public static readonly (Network Network, double Weight)[] Hosters =
    [
        (Cloudflare, 20), (Hetzner, 12), (HetznerFi, 3), (Ovh, 9), (OvhCanada, 3), (AwsFrankfurt, 9), (AwsDublin, 6), (AwsVirginia, 10),
        (AwsOregon, 4), (AwsMumbai, 2), (AwsSydney, 2), (DigitalOcean, 4), (DigitalOceanEu, 3), (LeaseWeb, 3), (Scaleway, 3),
        (Fasthosts, 2), (Telekom, 2), (Yandex, 1), (Tencent, 1), (Alibaba, 1), (AlibabaCn, 1), (Sakura, 1), (Naver, 0.5),
        (Locaweb, 1), (Afrihost, 0.5), (Fastly, 3), (CloudFront, 5), (Akamai, 3), (AkamaiUs, 2), (GoogleUs, 3),
    ];

    /// <summary>Popular first: the order is the rank.</summary>
    public static readonly Famous[] WellKnown =
    [
        new(Use.Web, "www.google.com", GoogleEu),
        new(Use.Web, "outlook.office365.com", MicrosoftEu),
        new(Use.Web, "fonts.gstatic.com", GoogleEu),
        new(Use.Web, "teams.microsoft.com", MicrosoftUs),
        new(Use.Web, "www.youtube.com", GoogleEu),
        new(Use.Web, "graph.facebook.com", Meta),
        new(Use.Web, "login.microsoftonline.com", MicrosoftEu),
        new(Use.Web, "gateway.icloud.com", Apple),
        new(Use.Web, "cdn.jsdelivr.net", Fastly),
        new(Use.Web, "clients4.google.com", GoogleUs),
        new(Use.Web, "static.cloudflareinsights.com", Cloudflare),
        new(Use.Web, "media.whatsapp.net", Meta),
        new(Use.Web, "d1.awsstatic.com", CloudFront),
        new(Use.Web, "www.bing.com", MicrosoftUs),
        new(Use.Web, "scontent.cdninstagram.com", Meta),
        new(Use.Web, "a248.e.akamai.net", Akamai),
        new(Use.Web, "www.wikipedia.org", Fastly),
        new(Use.Web, "s3.eu-central-1.amazonaws.com", AwsFrankfurt),
        new(Use.Web, "yastatic.net", Yandex),
        new(Use.Web, "res.wx.qq.com", Tencent),

        new(Use.Stream, "rr3.sn.googlevideo.com", GoogleEu),
        new(Use.Stream, "ipv4-c001.oca.nflxvideo.net", Netflix),
        new(Use.Stream, "audio-fa.scdn.co", Fastly),
        new(Use.Stream, "vod.akamaized.net", AkamaiUs),
        new(Use.Stream, "cf.media.primevideo.com", CloudFront),

        new(Use.Mail, "outlook.office365.com", MicrosoftEu),
        new(Use.Mail, "imap.gmail.com", GoogleEu),
        new(Use.Mail, "imap.mail.me.com", Apple),
        new(Use.Mail, "mail.your-server.de", Hetzner),
        new(Use.Mail, "ssl0.ovh.net", Ovh),

        new(Use.Call, "worldaz.tr.teams.microsoft.com", MicrosoftEu),
        new(Use.Call, "zoomff170.zoom.us", Zoom),
        new(Use.Call, "stun.l.google.com", GoogleEu),
        new(Use.Call, "turn.whatsapp.net", Meta),

        new(Use.Voice, "sipgate.de", Sipgate),
        new(Use.Voice, "sip.provider.example", Telekom),

        new(Use.Update, "download.windowsupdate.com", Akamai),
        new(Use.Update, "swcdn.apple.com", Apple),
        new(Use.Update, "deb.debian.org", Fastly),
        new(Use.Update, "dl.google.com", GoogleUs),
        new(Use.Update, "fw-update.ubnt.com", Ubiquiti),
        new(Use.Update, "officecdn.microsoft.com", AkamaiUs),

        new(Use.Push, "courier.push.apple.com", Apple),
        new(Use.Push, "mtalk.google.com", GoogleEu),
        new(Use.Push, "client.wns.windows.com", MicrosoftUs),

        new(Use.IotCloud, "data-ats.iot.eu-central-1.amazonaws.com", AwsFrankfurt),
        new(Use.IotCloud, "m1.tuyaeu.com", AwsFrankfurt),
        new(Use.IotCloud, "ws.meethue.com", GoogleEu),
        new(Use.IotCloud, "litdev.eu.hik-connect.com", AwsDublin),
        new(Use.IotCloud, "transport04.rts08.nest.com", GoogleUs),
        new(Use.IotCloud, "msmetrics.ws.sonos.com", AwsVirginia),
        new(Use.IotCloud, "avs-alexa-eu.amazon.com", AwsDublin),
        new(Use.IotCloud, "euw1-device.tplinkcloud.com", AwsDublin),
        new(Use.IotCloud, "de.ot.io.mi.com", Alibaba),
        new(Use.IotCloud, "dispatchse1-st.axis.com", AwsDublin),
        new(Use.IotCloud, "iothub-weu.azure-devices.net", MicrosoftEu),

        new(Use.Resolver, "dns.google", GoogleUs, "8.8.8.8", "2001:4860:4860::8888"),
        new(Use.Resolver, "one.one.one.one", Cloudflare, "1.1.1.1", "2606:4700:4700::1111"),
        new(Use.Resolver, "dns9.quad9.net", Quad9, "9.9.9.9", "2620:fe::9"),
        new(Use.Resolver, "dns.google", GoogleUs, "8.8.4.4", "2001:4860:4860::8844"),

        new(Use.Time, "time.cloudflare.com", Cloudflare, "162.159.200.1", "2606:4700:f1::1"),
        new(Use.Time, "time.google.com", GoogleUs, "216.239.35.0", "2001:4860:4806::"),
        new(Use.Time, "ptbtime1.ptb.de", Ptb, "192.53.103.108"),
        new(Use.Time, "time.windows.com", MicrosoftEu),
        new(Use.Time, "time.apple.com", Apple),
        new(Use.Time, "0.pool.ntp.org", Hetzner),

        new(Use.Code, "github.com", GitHub),
        new(Use.Code, "ssh.dev.azure.com", MicrosoftEu),
        new(Use.Code, "gitlab.com", Cloudflare),
        new(Use.Code, "bastion.cloud.example", AwsFrankfurt),
    ];

    /// <summary>Places that threats come from: hosters everywhere.</summary>
    public static readonly Place[] ThreatPlaces =
    [
        Amsterdam, Moscow, Bucharest, Frankfurt, Ashburn, HongKong, Kyiv, Sofia, Singapore, SaoPaulo, Lagos, Istanbul, Hanoi,
        Dallas, Paris, Helsinki, Mumbai, Warsaw, Dubai, Hangzhou, Seoul, Tokyo, Johannesburg, London,
    ];
}
