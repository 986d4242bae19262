using System.CommandLine;
using System.Net;
using System.Text;
using CobaltGraph.Data.Import;

namespace CobaltGraph.Cli.Verbs;

/// <summary>An IP address as the argument of a verb.</summary>
internal static class AddressArgument
{
    public static Argument<IPAddress?> Create(string description) => new("address")
    {
        HelpName = "ADDRESS",
        Description = description,
        Arity = ArgumentArity.ZeroOrOne,
        CustomParser = result =>
        {
            if (result.Tokens.Count == 0) return null;
            var text = result.Tokens[^1].Value;
            if (InputValue.TryParseAddress(Encoding.UTF8.GetBytes(text), out var address)) return address;
            result.AddError($"'{text}' is not an IP address. Write 203.0.113.9 or 2001:db8::7.");
            return null;
        },
    };
}
