using System.Globalization;
using System.Text;

namespace CobaltGraph.Reliability.Results;

/// <summary>What one test did and found.</summary>
/// <param name="What">What was done to whom; one line of the table for each.</param>
/// <param name="Size">How much of it.</param>
/// <param name="Faults">Faults that really happened.</param>
/// <param name="Lost">Acknowledged rows that are missing.</param>
/// <param name="Duplicate">Rows stored more than once.</param>
/// <param name="Failed">Batches, runs or snapshots that failed although they should not have.</param>
/// <param name="Findings">Everything else that an audit found.</param>
public sealed record Result(string What, string Size, string Faults, long Lost, long Duplicate, long Failed, int Findings)
{
    /// <summary>The server it ran on, for example 15.18.</summary>
    public required string ServerVersion { get; init; }
}

/// <summary>The table of results in a Markdown file. A test's new result takes the place of its old one.</summary>
public static class ResultTable
{
    private const string Header = "| what | size | faults that happened | lost | duplicate | failed | other findings | seed | date | PostgreSQL |";
    private const string Rule = "|---|---|---|---:|---:|---:|---:|---:|---|---|";

    /// <summary>Writes a result into the file, which is made if it is not there; also a bad result.</summary>
    /// <param name="path">The file.</param>
    /// <param name="introduction">What stands above the table.</param>
    /// <param name="result">The result.</param>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="date">The day of the run.</param>
    public static void Put(string path, string introduction, Result result, int seed, DateOnly date)
    {
        ArgumentNullException.ThrowIfNull(result);
        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (File.Exists(path))
        {
            foreach (var line in File.ReadAllLines(path).SkipWhile(line => line != Rule).Skip(1).TakeWhile(line => line.StartsWith('|')))
                rows[line.Split('|')[1].Trim()] = line;
        }

        rows[result.What] = string.Create(
            CultureInfo.InvariantCulture,
            $"| {result.What} | {result.Size} | {result.Faults} | {result.Lost} | {result.Duplicate} | {result.Failed} | {result.Findings} | {seed} | {date:yyyy-MM-dd} | {result.ServerVersion} |");

        var text = new StringBuilder();
        text.Append(introduction.Trim()).Append("\n\n").Append(Header).Append('\n').Append(Rule).Append('\n');
        foreach (var row in rows.Values)
            text.Append(row).Append('\n');
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path, text.ToString());
    }
}
