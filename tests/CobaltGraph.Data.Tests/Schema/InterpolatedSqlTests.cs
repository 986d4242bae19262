using System.Text.RegularExpressions;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Schema;

// A value is a parameter of its statement. What is put into the text of one is quoted by SqlText, or stands here.
public partial class InterpolatedSqlTests
{
    private const string OfOurs = "Pieces of its own: names and numbers that are constants, and what SqlText has quoted.";
    private const string NotRun = "Text for a person to read; nothing runs it.";

    // By file, why, and what may be put in; null for anything.
    private static readonly Dictionary<string, (string Why, string[]? Holes)> Allowed = new()
    {
        ["Adoption/Adopter.cs"] = ("Tables and schema quoted where the list is made.", ["sql.Macs", "sql.Connections", "(long)LockAttempt.TotalMilliseconds", "tables"]),
        ["Adoption/AdoptionRun.cs"] = (
            "Tables and schema quoted where the fields are set; definitions are the server's own.",
            ["_target", "_macs", "found.Macs", "_edges", "edges", "table", "constraint[1]", "sql.SourceOf(table)", "what"]),
        ["Adoption/AdoptionSession.cs"] = (
            "Settings, by what is done and what the server has.",
            [
                "(readOnly ? \"64MB\" : \"256MB\")",
                "(connection.PostgreSqlVersion.Major >= 17 ? \"SET LOCAL transaction_timeout = 0;\" : \"\")",
                "(readOnly ? \"SET TRANSACTION READ ONLY;\" : \"SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL default_statistics_target = 20;\")",
            ]),
        ["Adoption/AdoptionSql.cs"] = (OfOurs, null),
        ["Adoption/OldObjects.cs"] = ("Schema and tables quoted above; the kind is a word of ours.", ["kind", "schema", "table", "tables", "LeftOutComment", "what"]),
        ["Adoption/OriginalFinder.cs"] = ("The message to a user who lacks a right.", ["locked[0]"]),
        ["Ingest/ConnectionCopy.cs"] = ("COPY takes no parameter; both are constants.", ["table", "ConnectionBuffer.Columns"]),
        ["Ingest/SightingSink.cs"] = (OfOurs, ["Ledger.ClaimSql", "merge"]),
        ["Migrations/20261124000002_ThreatScoring.Preparation.cs"] = (OfOurs, ["IsPrepared", "CreateTables", "CreateStage"]),
        ["Queries/AddressQueries.cs"] = ("SqlQuery makes parameters of them.", ["from", "until"]),
        ["Queries/Catalogue/QuerySamples.cs"] = ("Columns of ours by name.", ["column", "condition"]),
        ["Queries/Catalogue/StatementPlan.cs"] = ("The statement that EF Core made, with its parameters.", ["statement.Sql"]),
        ["Queries/ConnectionSearch.cs"] = ("SqlQuery makes a parameter of it.", ["addresses"]),
        ["Queries/DestinationQueries.cs"] = ("SqlQuery makes parameters of them.", ["first", "end"]),
        ["Queries/PlanEstimate.cs"] = ("The statement that EF Core made, with its parameters.", ["command.CommandText"]),
        ["Schema/Catalog/CatalogSql.cs"] = (OfOurs, null),
        ["Schema/Catalog/SchemaCatalog.cs"] = ("The name of a savepoint, a constant.", ["mark"]),
        ["Schema/SchemaHistoryRepository.cs"] = (
            "EF Core quotes it.", ["Dependencies.TypeMappingSource.GetMapping(typeof(string)).GenerateSqlLiteral(TableName)"]),
        ["Schema/SchemaMigrator.cs"] = (
            "A script to read and run by hand; the schema is quoted.", ["schema"]),
        ["Schema/SchemaPatch.cs"] = (NotRun, null),
        ["Schema/SchemaProof.cs"] = (
            "A name drawn at random, a constant, a role quoted above, a word of ours, and a message.",
            ["name", "BeforeMore", "quoted", "right", "new NpgsqlConnectionStringBuilder(connection.ConnectionString).Username"]),
        ["Schema/SchemaText.cs"] = (NotRun, null),
        ["Schema/Scripts/MigrationEffects.cs"] = (NotRun, null),
        ["Schema/Scripts/MigrationScripts.cs"] = (OfOurs, null),
        ["Schema/SiteMigrator.cs"] = ("A function of the server's by name; a literal escaped by SqlText, its braces doubled for EF Core.", ["function", "Braces(literal)"]),
        ["Schema/SiteOwner.cs"] = ("A condition that is a constant.", ["IsToBecome"]),
        ["Schema/SqlObject.cs"] = ("Compared with a file, not run.", ["name"]),
        ["Schema/SqlObjectMigrationBuilderExtensions.cs"] = ("Names that a migration spells out.", ["name", "table"]),
    };

    [Fact]
    public void Nothing_but_what_is_quoted_or_listed_is_put_into_a_statement()
    {
        var found = Sources().SelectMany(source => Holes(source.Text).Select(hole => (source.File, Hole: hole))).Distinct().ToList();

        Assert.Empty(found.Where(f => !Allowed.TryGetValue(f.File, out var allowed) || allowed.Holes?.Contains(f.Hole) == false)
            .Select(f => $"{f.File}: {f.Hole}"));
        // What is listed and not there any more would let something else in later.
        Assert.Empty(Allowed
            .SelectMany(allowed => (allowed.Value.Holes ?? []).DefaultIfEmpty(null).Select(hole => (File: allowed.Key, Hole: hole)))
            .Where(a => !found.Exists(f => f.File == a.File && (a.Hole is null || a.Hole == f.Hole)))
            .Select(a => $"{a.File}: {a.Hole}"));
    }

    [Fact]
    public void Raw_statements_are_given_to_EF_Core_by_the_migrator_alone()
        => Assert.Equal(
            ["Schema/SiteMigrator.cs"],
            Sources().Where(source => RawCall().IsMatch(source.Text)).Select(source => source.File));

    [Theory]
    [InlineData("""Run($"SELECT 1 FROM devices WHERE vendor = '{vendor}'")""", "vendor")]
    [InlineData("""Run("SELECT 1 FROM devices WHERE vendor = '" + vendor + "'")""", "vendor")]
    [InlineData("""""Run($$"""DELETE FROM "{{table}}" WHERE x = '{}'""")""""", "table")]
    [InlineData("""Run($"DROP VIEW {SqlText.Identifier(view)}")""", null)]
    [InlineData("""Say($"There is no table {table}.")""", null)]
    public void Value_in_a_statement_is_seen(string source, string? hole)
        => Assert.Equal(hole is null ? [] : [hole], Holes(source));

    private static IEnumerable<(string File, string Text)> Sources()
    {
        var root = Repository.PathOf("src");
        foreach (var path in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var parts = Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar);
            if (parts[1] is not ("obj" or "bin"))
                yield return (string.Join('/', parts.Skip(1)), File.ReadAllText(path));
        }
    }

    private static IEnumerable<string> Holes(string source)
    {
        foreach (Match text in Interpolated().Matches(source))
        {
            if (!Sql().IsMatch(text.Value))
                continue;
            var holes = text.Groups["marks"].Length > 1 ? DoubleBraces() : Braces();
            foreach (var hole in holes.Matches(text.Value).Select(match => match.Groups[1].Value).Where(hole => !Quoted().IsMatch(hole)))
                yield return Spaces().Replace(hole, " ").Trim();
        }

        foreach (Match added in Added().Matches(source))
        {
            if (Sql().IsMatch(added.Value))
                yield return added.Groups["value"].Value;
        }
    }

    // A raw text as a whole, any other to the end of its line.
    [GeneratedRegex(""""(?<marks>\$+)(?<quotes>"{3,}).*?\k<quotes>(?!")|\$"[^\n]*"""", RegexOptions.Singleline)]
    private static partial Regex Interpolated();

    [GeneratedRegex(@"(?<!\{)\{([^{}]+)\}")]
    private static partial Regex Braces();

    [GeneratedRegex(@"\{\{([^{}]+)\}\}")]
    private static partial Regex DoubleBraces();

    [GeneratedRegex("""
        "[^"\n]*" \+ (?<value>[\w.]+)
        """)]
    private static partial Regex Added();

    [GeneratedRegex(@"\b(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|FROM|WHERE|JOIN|VALUES|ORDER BY|CREATE|ALTER|DROP|TRUNCATE|COPY|GRANT|REVOKE|COMMENT ON|LOCK|EXPLAIN|SET|SAVEPOINT|ANALYZE)\b")]
    private static partial Regex Sql();

    [GeneratedRegex(@"^\s*(SqlText\.(Identifier|Literal|Escaped)|Ours)\(")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"\b(ExecuteSqlRaw|FromSqlRaw|SqlQueryRaw|RawSqlCommandBuilder\.Build\(\$)")]
    private static partial Regex RawCall();
}
