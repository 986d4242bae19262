using System.Globalization;
using CobaltGraph.Benchmarks.Ingest;

namespace CobaltGraph.Benchmarks;

/// <summary>Numbers as the reports show them.</summary>
internal static class Figure
{
    public static string Count(double number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Seconds(double seconds) => seconds.ToString("0.00", CultureInfo.InvariantCulture);

    public static string Milliseconds(double? milliseconds)
        => milliseconds?.ToString(milliseconds < 100 ? "0.00" : "#,##0", CultureInfo.InvariantCulture) ?? "–";

    public static string Kilobytes(double? bytes)
        => (bytes / 1_000)?.ToString("#,##0", CultureInfo.InvariantCulture) ?? "–";

    public static string Ratio(double? ratio)
        => ratio?.ToString(ratio < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture) ?? "–";

    public static string Percent(double? share) => share is null ? "–" : $"{Count(share.Value * 100)} %";

    public static string Micro(double? seconds)
        => (seconds * 1_000_000)?.ToString("0.0", CultureInfo.InvariantCulture) ?? "–";

    public static string Megabytes(double bytes) => $"{Count(bytes / 1_000_000)} MB";

    public static string Of(RowTable table) => table == RowTable.Campus ? "campus" : "uniform";
}
