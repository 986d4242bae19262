namespace CobaltGraph.Seeding.Catalog;

/// <summary>A city: ISO 3166-1 country, degrees, and the top-level domain that its companies use.</summary>
internal sealed record Place(string Country, string City, float Latitude, float Longitude, string Domain);

internal static class Places
{
    public static readonly Place Ashburn = new("US", "Ashburn", 39.0438f, -77.4874f, "com");
    public static readonly Place MountainView = new("US", "Mountain View", 37.4056f, -122.0775f, "com");
    public static readonly Place Boardman = new("US", "Boardman", 45.8399f, -119.7006f, "com");
    public static readonly Place Dallas = new("US", "Dallas", 32.7831f, -96.8067f, "com");
    public static readonly Place NewYork = new("US", "New York", 40.7128f, -74.0060f, "com");
    public static readonly Place Cupertino = new("US", "Cupertino", 37.3230f, -122.0322f, "com");
    public static readonly Place Redmond = new("US", "Redmond", 47.6740f, -122.1215f, "com");
    public static readonly Place Montreal = new("CA", "Montréal", 45.5017f, -73.5673f, "ca");
    public static readonly Place Toronto = new("CA", "Toronto", 43.6532f, -79.3832f, "ca");
    public static readonly Place SaoPaulo = new("BR", "São Paulo", -23.5505f, -46.6333f, "com.br");
    public static readonly Place London = new("GB", "London", 51.5074f, -0.1278f, "co.uk");
    public static readonly Place Dublin = new("IE", "Dublin", 53.3498f, -6.2603f, "ie");
    public static readonly Place Paris = new("FR", "Paris", 48.8566f, 2.3522f, "fr");
    public static readonly Place Roubaix = new("FR", "Roubaix", 50.6942f, 3.1746f, "fr");
    public static readonly Place Frankfurt = new("DE", "Frankfurt am Main", 50.1109f, 8.6821f, "de");
    public static readonly Place Falkenstein = new("DE", "Falkenstein", 50.4779f, 12.3713f, "de");
    public static readonly Place Berlin = new("DE", "Berlin", 52.5200f, 13.4050f, "de");
    public static readonly Place Duesseldorf = new("DE", "Düsseldorf", 51.2277f, 6.7735f, "de");
    public static readonly Place Braunschweig = new("DE", "Braunschweig", 52.2689f, 10.5268f, "de");
    public static readonly Place Amsterdam = new("NL", "Amsterdam", 52.3676f, 4.9041f, "nl");
    public static readonly Place Zurich = new("CH", "Zürich", 47.3769f, 8.5417f, "ch");
    public static readonly Place Vienna = new("AT", "Wien", 48.2082f, 16.3738f, "at");
    public static readonly Place Milan = new("IT", "Milano", 45.4642f, 9.1900f, "it");
    public static readonly Place Madrid = new("ES", "Madrid", 40.4168f, -3.7038f, "es");
    public static readonly Place Stockholm = new("SE", "Stockholm", 59.3293f, 18.0686f, "se");
    public static readonly Place Helsinki = new("FI", "Helsinki", 60.1699f, 24.9384f, "fi");
    public static readonly Place Warsaw = new("PL", "Warszawa", 52.2297f, 21.0122f, "pl");
    public static readonly Place Bucharest = new("RO", "București", 44.4268f, 26.1025f, "ro");
    public static readonly Place Kyiv = new("UA", "Kyiv", 50.4501f, 30.5234f, "ua");
    public static readonly Place Moscow = new("RU", "Moskva", 55.7558f, 37.6173f, "ru");
    public static readonly Place Istanbul = new("TR", "İstanbul", 41.0082f, 28.9784f, "com.tr");
    public static readonly Place Dubai = new("AE", "Dubai", 25.2048f, 55.2708f, "ae");
    public static readonly Place Mumbai = new("IN", "Mumbai", 19.0760f, 72.8777f, "in");
    public static readonly Place Singapore = new("SG", "Singapore", 1.3521f, 103.8198f, "sg");
    public static readonly Place HongKong = new("HK", "Hong Kong", 22.3193f, 114.1694f, "hk");
    public static readonly Place Hangzhou = new("CN", "Hangzhou", 30.2741f, 120.1551f, "cn");
    public static readonly Place Seoul = new("KR", "Seoul", 37.5665f, 126.9780f, "kr");
    public static readonly Place Tokyo = new("JP", "Tokyo", 35.6762f, 139.6503f, "jp");
    public static readonly Place Osaka = new("JP", "Osaka", 34.6937f, 135.5023f, "jp");
    public static readonly Place Sydney = new("AU", "Sydney", -33.8688f, 151.2093f, "com.au");
    public static readonly Place Johannesburg = new("ZA", "Johannesburg", -26.2041f, 28.0473f, "co.za");
    public static readonly Place Lagos = new("NG", "Lagos", 6.5244f, 3.3792f, "ng");
    public static readonly Place Hanoi = new("VN", "Hà Nội", 21.0278f, 105.8342f, "vn");
    public static readonly Place Sofia = new("BG", "Sofia", 42.6977f, 23.3219f, "bg");
}
