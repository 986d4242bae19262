using System.Globalization;
using CobaltGraph.Data.Queries.Catalogue;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Queries;

/// <summary>How the server answers every query of the catalogue on a table that is worth an index.</summary>
public class PlanTests(PostgresServerFixture server) : DatabaseTest(server)
{
    // A page is merged from the first rows of each candidate.
    private const int MostSorted = 20_000;

    // A page of what is common, or of what few candidates have, is found before.
    private const double MostDropped = 100_000;

    // Of a table this small the server does without; and the ledger is read by those who run it.
    private static readonly string[] Unasked = ["ix_destinations_dst_port", "ix_device_events_timestamp", "ix_ingest_batches_committed_at"];

    private const int BatchSize = 20_000;

    private static int Rows
        => Environment.GetEnvironmentVariable("COBALTGRAPH_RELIABILITY") == "full" ? 1_000_000 : 200_000;

    [Fact]
    public async Task Queries_read_no_connections_as_a_whole_prune_by_time_and_sort_no_more_than_candidates()
    {
        await FillAsync();
        await using var plans = await CataloguePlans.OpenAsync(Database.ConnectionString, Cancel);
        var wrong = new List<string>();
        var asked = 0;
        var used = new HashSet<string>();

        await foreach (var plan in plans.ReadAsync([], 1, 1, Cancel))
        {
            asked++;
            used.UnionWith(plan.Plans.SelectMany(each => each.Indexes).Select(plans.Tables.ParentOf));
            var isSearch = plan.Call.Kind is
                QueryKind.Search or QueryKind.Text or QueryKind.TextOfDay or QueryKind.Pair or QueryKind.PairOfDay;
            if (plan.SequentialScans.Any(scan => scan.Table == TableCatalogue.Connections && scan.IsMissingIndex(long.MaxValue)))
                wrong.Add($"{plan.Call.Query} ({plan.Call.Values}) reads connections as a whole: {Shapes(plan)}");

            // A day lies in two months at the most.
            if (isSearch && plan.Call.Query.Contains("within a day", StringComparison.Ordinal) && plan.Partitions.Count > 2)
            {
                wrong.Add($"{plan.Call.Query} ({plan.Call.Values}) reads {string.Join(", ", plan.Partitions)}: {Shapes(plan)}");
            }

            var dropped = plan.Plans.Max(each => each.ConnectionsDropped);
            if (isSearch && dropped > MostDropped)
                wrong.Add($"{plan.Call.Query} ({plan.Call.Values}) reads {dropped} rows in vain: {Shapes(plan)}");

            if (isSearch && plan.MostSorted > MostSorted)
                wrong.Add($"{plan.Call.Query} ({plan.Call.Values}) sorts {plan.MostSorted} rows: {Shapes(plan)}");
        }

        Assert.True(asked > 200, $"{asked} calls.");
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        // Every index costs ingest: one that keeps no rule answers a query.
        Assert.Empty(plans.Tables.Indexes.Where(index => !index.IsUnique).Select(index => index.Name).Except(used).Except(Unasked));

        static string Shapes(CallPlan plan) => string.Join("; ", plan.Plans.Select(each => each.Shape));
    }

    private async Task FillAsync()
    {
        await Run("SELECT ensure_connection_partitions('2026-01-01Z', '2026-04-15Z')");
        for (var first = 1; first <= Rows; first += BatchSize)
            await Run(Insert(first, first + BatchSize - 1));
        await Run("VACUUM ANALYZE");
    }

    // Few devices and destinations have most connections, and many have few.
    private static string Insert(int first, int last) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        INSERT INTO connections (timestamp, src_mac, src_ip, dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname,
                                 threat_score, threat_category, bytes_sent, metadata)
        SELECT timestamptz '2026-01-01Z' + i * (interval '100 days' / {Rows}),
               ('02005e' || lpad(to_hex(d), 6, '0'))::macaddr, '10.0.0.0'::inet + d,
               '198.18.0.0'::inet + t, (ARRAY[443, 443, 443, 80, 53, 22, 1000 + t])[1 + t % 7], CASE WHEN t % 7 = 4 THEN 'UDP' ELSE 'TCP' END,
               (ARRAY['US', 'US', 'US', 'DE', 'FR', 'NL', 'KP'])[1 + t % 7], 'Organisation ' || t % 500, 'host' || t || '.example',
               CASE WHEN i % 500 = 0 THEN 8.5 WHEN i % 50 = 0 THEN 3 ELSE i % 20 / 10.0 END,
               CASE WHEN i % 500 = 0 THEN 'c2' WHEN i % 1001 = 0 THEN 'malware' END, i,
               jsonb_build_object('uid', 'C' || i, 'state', CASE WHEN i % 5 = 0 THEN 'S0' ELSE 'SF' END, 'service', 's' || t % 7)
        FROM (
            SELECT i, sqrt(i::bigint * 7919 % 40000)::int AS d, (power((i::bigint * 104729 % 1000003) / 1000003.0, 3) * 5000)::int AS t
            FROM generate_series({first}, {last}) AS i
        ) AS r
        """);
}
