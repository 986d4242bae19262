using System.Globalization;
using System.Text;
using Npgsql;

namespace CobaltGraph.Data;

/// <summary>
/// Reads <c>config/database.conf</c>: INI with one section of interest, <c>[database]</c>. Comments stand on lines of
/// their own and start with <c>#</c> or <c>;</c>. A value is everything after the equals sign, without surrounding
/// blanks; quotes have no meaning.
/// </summary>
internal static class DatabaseConfigFile
{
    private const string Section = "database";
    private const string Placeholder = "CHANGE_ME";
    private const int LongestFile = 1 << 20;

    private static readonly string[] RequiredKeys = ["host", "database", "user", "password"];

    private static readonly string[] Keys =
    [
        "host", "port", "database", "user", "password", "schema", "min_connections", "max_connections",
        "statement_timeout", "idle_in_transaction_session_timeout",
    ];

    public static DatabaseSettings Read(string path, DatabaseSettingsSource source)
    {
        string text;
        try
        {
            if (new FileInfo(path).Length > LongestFile)
                throw new IOException("It is larger than 1 MiB.");
            text = File.ReadAllText(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException
            or NotSupportedException)
        {
            var why = e is ArgumentException ? "It is not UTF-8 text." : e.Message;
            throw new DatabaseSettingsException(
                DatabaseSettingsProblem.Unreadable, $"The file cannot be read. {why}",
                "Make it a text file that this user may read, or remove it.", path, innerException: e);
        }

        var values = ParseSection(text, path);
        var builder = Build(values, path);
        return new(builder, source, path, FindWarnings(path, values));
    }

    private static Dictionary<string, Entry> ParseSection(string text, string path)
    {
        var values = new Dictionary<string, Entry>(StringComparer.OrdinalIgnoreCase);
        var sections = new List<string>();
        string? section = null;
        var number = 0;
        using var reader = new StringReader(text);
        while (reader.ReadLine() is { } line)
        {
            number++;
            line = line.Trim();
            if (line.Length == 0 || line[0] is '#' or ';') continue;

            if (line[0] == '[')
            {
                if (line[^1] != ']' || line.Length < 3)
                    throw Malformed(path, number, "The section header is not closed.", "Write [database].");
                section = line[1..^1].Trim();
                if (IsDatabase(section) && sections.Any(IsDatabase))
                    throw Malformed(path, number, "The section [database] is there twice.", "Keep one of them.");
                sections.Add(section);
                continue;
            }

            // Other sections belong to other parts of an application.
            if (section is not null && !IsDatabase(section)) continue;

            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                // The line is not shown: it may be the second half of a password.
                throw Malformed(path, number, "The line is not `key = value`.", "Write for example `host = localhost`.");
            }

            var key = line[..equals].TrimEnd();
            var value = line[(equals + 1)..].TrimStart();
            if (section is null)
            {
                throw Malformed(
                    path, number, "The line stands before any section.", "Put [database] above it.", key);
            }

            if (!Keys.Contains(key, StringComparer.OrdinalIgnoreCase))
            {
                var hint = NearestName.Find(key, Keys) is { } near
                    ? $"Did you mean {near}?"
                    : $"The keys are {string.Join(", ", Keys)}.";
                throw Malformed(path, number, "There is no such key.", hint, key);
            }

            key = key.ToLowerInvariant();
            if (values.TryGetValue(key, out var first))
            {
                throw Malformed(
                    path, number, $"The key is set a second time (first in line {first.Line}).",
                    "Keep one of the two lines.", key);
            }

            values.Add(key, new Entry(value, number));
        }

        if (!sections.Any(IsDatabase))
        {
            var near = NearestName.Find(Section, sections);
            throw new DatabaseSettingsException(
                DatabaseSettingsProblem.Invalid, "The file has no section [database].",
                near is null ? "Add [database] with host, database, user and password."
                    : $"Rename [{near}] to [database].",
                path);
        }

        return values;

        static bool IsDatabase(string name) => name.Equals(Section, StringComparison.OrdinalIgnoreCase);
    }

    private static NpgsqlConnectionStringBuilder Build(Dictionary<string, Entry> values, string path)
    {
        foreach (var key in RequiredKeys)
        {
            if (!values.TryGetValue(key, out var entry))
            {
                throw new DatabaseSettingsException(
                    DatabaseSettingsProblem.Invalid, "The key is missing.",
                    key == "password"
                        ? "Add `password = …` to [database]; leave the value empty to use a passfile (PGPASSFILE)."
                        : $"Add `{key} = …` to [database].",
                    path, key: key);
            }

            if (entry.Value.Length == 0 && key != "password")
                throw Malformed(path, entry.Line, "The value is empty.", $"Write `{key} = …`.", key);
        }

        foreach (var (key, entry) in values)
        {
            if (entry.Value.StartsWith(Placeholder, StringComparison.OrdinalIgnoreCase))
            {
                throw Malformed(
                    path, entry.Line, "The value is still the placeholder of the example file.",
                    key == "password"
                        ? $"Put the password of user {values["user"].Value} there."
                        : "Put the real value there.",
                    key);
            }

            if (key != "password" && entry.Value.Length > 0 && entry.Value[0] is '"' or '\'')
                throw Malformed(path, entry.Line, "The value is in quotes.", "Write it without them.", key);
        }

        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = values["host"].Value,
            Database = values["database"].Value,
            Username = values["user"].Value,
        };
        if (values["password"].Value.Length > 0) builder.Password = values["password"].Value;
        if (values.TryGetValue("schema", out var schema) && schema.Value.Length > 0)
            builder.SearchPath = QuoteSchema(schema.Value);

        const int mostConnections = 1024;
        builder.Port = Number("port", 1, 65535) ?? 5432;
        var most = Number("max_connections", 1, mostConnections);
        var least = Number("min_connections", 0, mostConnections);
        if (most is not null) builder.MaxPoolSize = most.Value;
        if (least > builder.MaxPoolSize)
        {
            throw Malformed(
                path, values["min_connections"].Line,
                $"{least} is more than max_connections, which is {builder.MaxPoolSize}.",
                "Lower it, or raise max_connections.", "min_connections");
        }

        if (least is not null) builder.MinPoolSize = least.Value;

        var options = new List<string>();
        foreach (var key in (ReadOnlySpan<string>)["statement_timeout", "idle_in_transaction_session_timeout"])
        {
            if (!values.TryGetValue(key, out var entry)) continue;
            if (!ServerDuration.TryParseMilliseconds(entry.Value, out var milliseconds))
            {
                throw Malformed(
                    path, entry.Line, $"'{entry.Value}' is not a duration.",
                    $"Write `{key} = 30s`: a number of milliseconds, or one with ms, s, min, h or d; 0 is no limit.",
                    key);
            }

            options.Add(string.Create(CultureInfo.InvariantCulture, $"-c {key}={milliseconds}"));
        }

        if (options.Count > 0) builder.Options = string.Join(' ', options);
        return builder;

        int? Number(string key, int lowest, int highest)
        {
            if (!values.TryGetValue(key, out var entry)) return null;
            if (int.TryParse(entry.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number >= lowest && number <= highest)
            {
                return number;
            }

            throw Malformed(
                path, entry.Line, $"'{entry.Value}' is not a whole number from {lowest} to {highest}.",
                "Correct the number; a comment needs a line of its own.", key);
        }
    }

    // The search path is a list of names; a name that is not plain would be split or folded there.
    private static string QuoteSchema(string schema)
        => schema.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_') && !char.IsAsciiDigit(schema[0])
            ? schema
            : $"\"{schema.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static List<string> FindWarnings(string path, Dictionary<string, Entry> values)
    {
        var warnings = new List<string>();
        var password = values["password"].Value;
        if (password.Length == 0) return warnings;

        if (!OperatingSystem.IsWindows()
            && (File.GetUnixFileMode(path) & UnixFileMode.OtherRead) != 0)
        {
            warnings.Add($"{path} holds a password and every user of this machine can read it. Run: chmod 600 {path}");
        }

        if (password.Length > 1 && password[0] == password[^1] && password[0] is '"' or '\'')
        {
            warnings.Add(
                $"{path}, line {values["password"].Line}, password: the value is in quotes, and they are taken as part " +
                "of the password. Remove them if they are not.");
        }

        return warnings;
    }

    private static DatabaseSettingsException Malformed(
        string path, int line, string what, string remedy, string? key = null)
        => new(DatabaseSettingsProblem.Invalid, what, remedy, path, line, key);

    private readonly record struct Entry(string Value, int Line);
}
