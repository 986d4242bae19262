using System.Security.Cryptography;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Schema;

// Migrations.Sql/released.sha256 holds the hash of every migration and SQL object. A line that is marked released is
// never rewritten: what it names is in other people's databases.
public class ReleaseHashTests
{
    private const string Released = " released";

    [Fact]
    public void No_migration_or_sql_object_differs_from_its_recorded_hash()
    {
        var recorded = ReadList();
        var actual = HashFiles();
        var problems = Compare(recorded, actual);

        if (Environment.GetEnvironmentVariable("COBALTGRAPH_UPDATE_HASHES") == "1"
            && !problems.Any(problem => problem.Released))
        {
            File.WriteAllLines(
                ListPath,
                actual.Select(file => $"{file.Value}  {file.Key}{(recorded.GetValueOrDefault(file.Key).Released ? Released : "")}"));
            return;
        }

        Assert.True(problems.Count == 0, string.Join('\n', problems.Select(problem => problem.Text)));
    }

    [Fact]
    public void Edited_released_file_is_found()
    {
        var problem = Assert.Single(Compare(
            new() { ["a.sql"] = ("11", true), ["b.sql"] = ("22", false) },
            new() { ["a.sql"] = "99", ["b.sql"] = "22" }));

        Assert.True(problem.Released);
        Assert.Contains("a.sql", problem.Text);
    }

    [Fact]
    public void Deleted_and_unlisted_files_are_found()
        => Assert.Equal(
            ["a.sql", "b.sql"],
            Compare(new() { ["a.sql"] = ("11", true) }, new() { ["b.sql"] = "22" }).Select(p => p.Text.Split(' ')[0]).Order());

    private static string ListPath => Repository.PathOf("Migrations.Sql", "released.sha256");

    private static List<(string Text, bool Released)> Compare(
        Dictionary<string, (string Hash, bool Released)> recorded, SortedDictionary<string, string> actual)
    {
        var problems = new List<(string, bool)>();
        foreach (var (file, (hash, released)) in recorded)
        {
            var found = actual.GetValueOrDefault(file);
            if (found == hash)
                continue;

            problems.Add((released
                ? $"{file} is released and was {(found is null ? "deleted" : "edited")}: restore it, and make the change as a new version in a new migration."
                : $"{file} was {(found is null ? "deleted" : "edited")}: run the tests once with COBALTGRAPH_UPDATE_HASHES=1 to record it.", released));
        }

        foreach (var file in actual.Keys.Except(recorded.Keys))
            problems.Add(($"{file} has no recorded hash: run the tests once with COBALTGRAPH_UPDATE_HASHES=1 to record it.", false));

        return problems;
    }

    private static Dictionary<string, (string Hash, bool Released)> ReadList()
        => File.Exists(ListPath)
            ? File.ReadAllLines(ListPath).ToDictionary(
                line => line[66..].Replace(Released, "", StringComparison.Ordinal),
                line => (line[..64], line.EndsWith(Released, StringComparison.Ordinal)))
            : [];

    private static SortedDictionary<string, string> HashFiles()
    {
        var files = Directory.EnumerateFiles(Repository.PathOf("Migrations.Sql", "objects"), "*.sql", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Repository.PathOf("src", "CobaltGraph.Data", "Migrations"), "2*.cs"));
        return new(
            files.ToDictionary(
                file => Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'),
                file => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))),
            StringComparer.Ordinal);
    }
}
