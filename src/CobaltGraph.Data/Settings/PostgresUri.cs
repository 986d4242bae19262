using System.Globalization;
using System.Text;
using Npgsql;

namespace CobaltGraph.Data;

/// <summary>
/// Reads <c>postgresql://user:password@host:port,host:port/database?parameter=value</c> as libpq does. Parameters have
/// libpq's names; <c>search_path</c> is added to them. What Npgsql has no match for is refused, not ignored.
/// </summary>
internal static class PostgresUri
{
    private static readonly Dictionary<string, Action<NpgsqlConnectionStringBuilder, string>> Parameters =
        new(StringComparer.Ordinal)
        {
            ["application_name"] = (b, v) => b.ApplicationName = v,
            ["channel_binding"] = (b, v) => b.ChannelBinding = v switch
            {
                "disable" => ChannelBinding.Disable,
                "prefer" => ChannelBinding.Prefer,
                "require" => ChannelBinding.Require,
                _ => throw new FormatException("disable, prefer or require"),
            },
            ["client_encoding"] = (b, v) => b.ClientEncoding = v,
            ["connect_timeout"] = (b, v) => b.Timeout = Integer(v, 0, 1024, "a number of seconds from 0 to 1024"),
            ["dbname"] = (b, v) => b.Database = v,
            ["gssencmode"] = (b, v) => b.GssEncryptionMode = v switch
            {
                "disable" => GssEncryptionMode.Disable,
                "prefer" => GssEncryptionMode.Prefer,
                "require" => GssEncryptionMode.Require,
                _ => throw new FormatException("disable, prefer or require"),
            },
            ["krbsrvname"] = (b, v) => b.KerberosServiceName = v,
            ["options"] = (b, v) => b.Options = v,
            ["passfile"] = (b, v) => b.Passfile = v,
            ["password"] = (b, v) => b.Password = v,
            ["search_path"] = (b, v) => b.SearchPath = v,
            ["sslcert"] = (b, v) => b.SslCertificate = v,
            ["sslkey"] = (b, v) => b.SslKey = v,
            ["sslmode"] = (b, v) => b.SslMode = v switch
            {
                "disable" => SslMode.Disable,
                "allow" => SslMode.Allow,
                "prefer" => SslMode.Prefer,
                "require" => SslMode.Require,
                "verify-ca" => SslMode.VerifyCA,
                "verify-full" => SslMode.VerifyFull,
                _ => throw new FormatException("disable, allow, prefer, require, verify-ca or verify-full"),
            },
            ["sslpassword"] = (b, v) => b.SslPassword = v,
            ["sslrootcert"] = (b, v) => b.RootCertificate = v,
            ["target_session_attrs"] = (b, v) => b.TargetSessionAttributes = v switch
            {
                "any" or "read-write" or "read-only" or "primary" or "standby" or "prefer-standby" => v,
                _ => throw new FormatException("any, read-write, read-only, primary, standby or prefer-standby"),
            },
            ["user"] = (b, v) => b.Username = v,
        };

    private static readonly string[] Names = [.. Parameters.Keys, "host", "port"];

    public static bool IsUri(string text)
        => text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase);

    public static NpgsqlConnectionStringBuilder Parse(string uri, string name)
    {
        var rest = uri.AsSpan(uri.IndexOf("://", StringComparison.Ordinal) + 3);
        var builder = new NpgsqlConnectionStringBuilder();
        string? hosts = null, ports = null;

        var query = ReadOnlySpan<char>.Empty;
        var question = rest.IndexOf('?');
        if (question >= 0)
        {
            query = rest[(question + 1)..];
            rest = rest[..question];
        }

        var slash = rest.IndexOf('/');
        var authority = slash < 0 ? rest : rest[..slash];
        var path = slash < 0 ? "" : rest[(slash + 1)..];

        var at = authority.IndexOf('@');
        // Without this a password with / ? or @ in it would be taken for a host or a database, and shown as one.
        if (query.Contains('@') || path.Contains('@') || (at >= 0 && authority[(at + 1)..].Contains('@')))
        {
            throw ConnectionText.Invalid(
                name, "An @ stands where none can be.",
                "In user, password and database write @ as %40, / as %2F, ? as %3F, : as %3A and % as %25.");
        }

        if (at >= 0)
        {
            var user = authority[..at];
            var colon = user.IndexOf(':');
            if (colon >= 0)
            {
                builder.Password = Decode(user[(colon + 1)..], name, "password");
                user = user[..colon];
            }

            if (user.Length > 0) builder.Username = Decode(user, name, "user");
            authority = authority[(at + 1)..];
        }

        if (authority.Length > 0) (hosts, ports) = SplitHosts(authority, name);
        if (path.Length > 0) builder.Database = Decode(path, name, "database");

        foreach (var range in query.Split('&'))
        {
            var pair = query[range];
            if (pair.Length == 0) continue;
            var equals = pair.IndexOf('=');
            if (equals < 1)
            {
                throw ConnectionText.Invalid(
                    name, "A parameter after ? is not name=value.", "Write for example ?sslmode=verify-full.");
            }

            var key = Decode(pair[..equals], name, "parameter");
            var value = Decode(pair[(equals + 1)..], name, key);
            if (key == "host")
            {
                hosts = value;
                continue;
            }

            if (key == "port")
            {
                ports = value;
                continue;
            }

            if (!Parameters.TryGetValue(key, out var set))
            {
                throw ConnectionText.Invalid(
                    name, "There is no such parameter, or none that can be honoured.",
                    NearestName.Find(key, Names) is { } near
                        ? $"Did you mean {near}?"
                        : $"The parameters are {string.Join(", ", Names.Order(StringComparer.Ordinal))}.",
                    key);
            }

            try
            {
                set(builder, value);
            }
            catch (FormatException e)
            {
                throw ConnectionText.Invalid(name, "The value cannot be used.", $"Write {e.Message}.", key);
            }
        }

        SetHosts(builder, hosts, ports, name);
        return builder;
    }

    private static (string Hosts, string? Ports) SplitHosts(ReadOnlySpan<char> authority, string name)
    {
        var hosts = new List<string>();
        var ports = new List<string>();
        foreach (var range in authority.Split(','))
        {
            var item = authority[range];
            var port = ReadOnlySpan<char>.Empty;
            if (item.StartsWith('['))
            {
                var close = item.IndexOf(']');
                if (close < 0 || (close + 1 < item.Length && item[close + 1] != ':'))
                    throw ConnectionText.Invalid(name, "The [ of an IPv6 address is not closed.", "Write [::1]:5432.");
                if (close + 1 < item.Length) port = item[(close + 2)..];
                item = item[1..close];
            }
            else
            {
                var colon = item.IndexOf(':');
                if (colon >= 0)
                {
                    port = item[(colon + 1)..];
                    item = item[..colon];
                    if (port.Contains(':'))
                        throw ConnectionText.Invalid(name, "An IPv6 address needs brackets.", "Write [::1]:5432.");
                }
            }

            hosts.Add(Decode(item, name, "host"));
            ports.Add(Decode(port, name, "port"));
        }

        return (string.Join(',', hosts), ports.All(p => p.Length == 0) ? null : string.Join(',', ports));
    }

    private static void SetHosts(NpgsqlConnectionStringBuilder builder, string? hosts, string? ports, string name)
    {
        if (string.IsNullOrEmpty(hosts)) return;

        var hostList = hosts.Split(',');
        var portList = ports?.Split(',') ?? [""];
        if (portList.Length != 1 && portList.Length != hostList.Length)
        {
            throw ConnectionText.Invalid(
                name, $"There are {hostList.Length} hosts and {portList.Length} ports.",
                "Give one port for all hosts or one for each.", "port");
        }

        var numbers = portList.Select(p => p.Length == 0 ? 5432 : Port(p)).ToList();
        if (hostList.Length == 1)
        {
            builder.Host = hostList[0];
            builder.Port = numbers[0];
            return;
        }

        builder.Host = string.Join(',', hostList.Select((host, i) =>
        {
            var port = numbers[numbers.Count == 1 ? 0 : i];
            var written = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
            return string.Create(CultureInfo.InvariantCulture, $"{written}:{port}");
        }));

        int Port(string text)
        {
            try
            {
                return Integer(text, 1, 65535, "");
            }
            catch (FormatException)
            {
                throw ConnectionText.Invalid(
                    name, "The port is not a whole number from 1 to 65535.",
                    "Correct it; a : or / in user or password is written %3A or %2F.", "port");
            }
        }
    }

    private static int Integer(string text, int lowest, int highest, string expected)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= lowest && number <= highest
                ? number
                : throw new FormatException(expected);

    // A plus is a plus: libpq knows no form encoding.
    private static string Decode(ReadOnlySpan<char> text, string name, string key)
    {
        if (!text.Contains('%')) return text.ToString();

        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length;)
        {
            if (text[i] != '%')
            {
                var plain = text[i..];
                var percent = plain.IndexOf('%');
                if (percent >= 0) plain = plain[..percent];
                bytes.AddRange(Encoding.UTF8.GetBytes(plain.ToString()));
                i += plain.Length;
                continue;
            }

            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
            {
                throw ConnectionText.Invalid(
                    name, "A % is not followed by two hexadecimal digits.", "Write a percent sign as %25.", key);
            }

            var value = byte.Parse(text.Slice(i + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (value == 0) throw ConnectionText.Invalid(name, "%00 is not allowed.", "Remove it.", key);
            bytes.Add(value);
            i += 3;
        }

        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. bytes]);
        }
        catch (DecoderFallbackException)
        {
            throw ConnectionText.Invalid(name, "The %-escapes are not UTF-8.", "Escape the UTF-8 bytes.", key);
        }
    }
}
