using System.CommandLine.Parsing;
using System.Globalization;
using CobaltGraph.Model;

namespace CobaltGraph.Cli.Verbs;

/// <summary>Reads a MAC address from the command line.</summary>
internal static class MacArgument
{
    public static MacAddress? Parse(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        if (MacAddress.TryParse(text, CultureInfo.InvariantCulture, out var mac)) return mac;

        result.AddError(
            $"'{text}' is not a MAC address. Write 02:00:5e:10:00:01, 02-00-5E-10-00-01, 0200.5e10.0001 or 02005e100001.");
        return null;
    }
}
