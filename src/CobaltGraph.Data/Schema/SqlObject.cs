using System.Globalization;
using System.Text.RegularExpressions;

namespace CobaltGraph.Data.Schema;

/// <summary>One version of one function, trigger or view: a file of Migrations.Sql/objects, embedded at build.</summary>
internal sealed partial record SqlObject(SqlObjectKind Kind, string Name, int Version, string Sql)
{
    private const string Prefix = "objects/";

    public string Path => PathOf(Kind, Name, Version);

    public static string PathOf(SqlObjectKind kind, string name, int version)
        => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Folder(kind)}/{name}.v{version:00}.sql");

    /// <summary>Loads a file and checks it against the rules of the house.</summary>
    /// <exception cref="InvalidOperationException">There is no such file, or it breaks a rule; the message says which.</exception>
    public static SqlObject Load(SqlObjectKind kind, string name, int version)
    {
        var path = PathOf(kind, name, version);
        using var stream = typeof(SqlObject).Assembly.GetManifestResourceStream(path)
            ?? throw new InvalidOperationException($"There is no SQL object Migrations.Sql/{path}.");
        using var reader = new StreamReader(stream);
        return Parse(kind, name, version, reader.ReadToEnd());
    }

    /// <summary>Every embedded file.</summary>
    public static IReadOnlyList<SqlObject> LoadAll()
        => [.. typeof(SqlObject).Assembly.GetManifestResourceNames()
            .Where(resource => resource.StartsWith(Prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(LoadResource)];

    internal static SqlObject Parse(SqlObjectKind kind, string name, int version, string sql)
    {
        var path = PathOf(kind, name, version);
        if (Problem(kind, name, sql) is { } problem)
            throw new InvalidOperationException($"Migrations.Sql/{path}: {problem}");

        return new SqlObject(kind, name, version, sql);
    }

    private static SqlObject LoadResource(string resource)
    {
        var match = ResourceName().Match(resource);
        if (!match.Success)
        {
            throw new InvalidOperationException(
                $"Migrations.Sql/{resource}: the name is not functions|triggers|views/name.vNN.sql.");
        }

        var kind = match.Groups["folder"].Value switch
        {
            "functions" => SqlObjectKind.Function,
            "triggers" => SqlObjectKind.Trigger,
            _ => SqlObjectKind.View,
        };
        return Load(kind, match.Groups["name"].Value, int.Parse(match.Groups["version"].Value, CultureInfo.InvariantCulture));
    }

    private static string? Problem(SqlObjectKind kind, string name, string sql)
    {
        if (sql.Contains('\r', StringComparison.Ordinal))
            return "line ends are CR LF; use LF.";
        if (!sql.EndsWith(";\n", StringComparison.Ordinal))
            return "the file does not end with ';' and one line end; an idempotent script needs both.";
        if (sql.Contains("$$", StringComparison.Ordinal))
            return "'$$' does not nest inside an idempotent script; use a tagged quote such as $function$.";

        var create = kind switch
        {
            SqlObjectKind.Function => $"CREATE OR REPLACE FUNCTION {name}(",
            SqlObjectKind.View => $"CREATE OR REPLACE VIEW {name} AS",
            _ => $"CREATE TRIGGER {name}\n",
        };
        if (!sql.Contains(create, StringComparison.Ordinal))
            return $"'{create.TrimEnd()}' is missing: one file makes one object, named as the file.";

        if (kind == SqlObjectKind.Function)
        {
            if (!sql.Contains("\nLANGUAGE ", StringComparison.Ordinal))
                return "LANGUAGE is not spelled out.";
            if (!Volatility().IsMatch(sql))
                return "volatility (IMMUTABLE, STABLE or VOLATILE) is not spelled out.";
            if (!sql.Contains("\nSET search_path FROM CURRENT\n", StringComparison.Ordinal))
                return "SET search_path FROM CURRENT is missing; without it a temporary table can stand in for ours.";
            if (sql.Contains("\nSECURITY DEFINER\n", StringComparison.Ordinal)
                && !sql.Contains($"REVOKE ALL ON FUNCTION {name}(", StringComparison.Ordinal))
                return "a SECURITY DEFINER function must be revoked from PUBLIC.";
            if (Hijackable().Match(sql) is { Success: true } call)
                return $"'{call.Value}' takes any type; say pg_catalog.{call.Value}, or a function of the caller's with these very types stands in for it.";
        }

        if (kind != SqlObjectKind.Trigger && !sql.Contains("\nCOMMENT ON ", StringComparison.Ordinal))
            return "COMMENT ON is missing.";

        return null;
    }

    private static string Folder(SqlObjectKind kind) => kind switch
    {
        SqlObjectKind.Function => "functions",
        SqlObjectKind.Trigger => "triggers",
        _ => "views",
    };

    [GeneratedRegex(@"^objects/(?<folder>functions|triggers|views)/(?<name>[a-z0-9_]+)\.v(?<version>\d{2})\.sql$")]
    private static partial Regex ResourceName();

    // An exact match in our schema beats a polymorphic or variadic function of pg_catalog, wherever that is on the path.
    // count(*) takes no type, and unnest of several arrays is the parser's own, by its bare name only.
    [GeneratedRegex(
        """
        (?<![\w.])
        (?:(?:array_agg|cardinality|concat|concat_ws|format|jsonb_build_array|jsonb_build_object|num_nulls)\(
          |count\((?!\s*\*)
          |unnest\((?=(?:[^](),[]|[[(](?<open>)|[])](?<-open>)|(?(open),|(?!)))*(?(open)(?!))\)))
        """,
        RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Hijackable();

    [GeneratedRegex(@"^(IMMUTABLE|STABLE|VOLATILE)$", RegexOptions.Multiline)]
    private static partial Regex Volatility();
}
