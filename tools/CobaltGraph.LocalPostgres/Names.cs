using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CobaltGraph.LocalPostgres;

internal static class Names
{
    /// <summary>A short name that is the same for the same text on any run.</summary>
    public static string Short(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..12];

    /// <summary>A number from 0 up to <paramref name="limit"/> that is the same for the same text on any run.</summary>
    public static int Spread(string text, int limit) =>
        int.Parse(Short(text)[..6], NumberStyles.HexNumber, CultureInfo.InvariantCulture) % limit;

    public static string Unique() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
}
