using CobaltGraph.Data.Adoption;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Documentation;

public class AdoptionPageTests
{
    [Fact]
    public void Every_case_stands_in_the_page()
    {
        var lines = File.ReadAllLines(Repository.PathOf("docs", "adoption.md"))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .ToList();
        var tables = OriginalTable.Known.ToDictionary(
            table => table.Key,
            table => new OriginalTable(
                table.Key, table.Value.ToDictionary(c => c.Key, c => new OriginalColumn(c.Key, c.Value[0], null, true)), 0));
        var original = new OriginalDatabase(
            "public", "public", true, tables[OriginalTable.Devices], tables[OriginalTable.Connections], tables[OriginalTable.DeviceEvents], true);

        var rules = new AdoptionSql(original, table => table).Rules;

        Assert.NotEmpty(rules);
        Assert.All(rules, rule => Assert.Contains(lines, line =>
            (line[1] == rule.Table || line[1] == "all")
            && line[2].Split(", ").Contains(rule.Column)
            && line[4].StartsWith("set aside", StringComparison.Ordinal) == rule.SetsAside));
    }
}
