using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using static CobaltGraph.Data.Tests.Ingest.IngestServiceTests;

namespace CobaltGraph.Data.Tests.Ingest;

// Whoever collects metrics and traces by the name "CobaltGraph".
public sealed class DiagnosticsTests(PostgresServerFixture server) : DatabaseTest(server)
{
    [Fact]
    public async Task Rows_by_outcome_retries_and_durations_are_measured()
    {
        // Fails once; a sequence forgets nothing with the transaction.
        await Run("""
            CREATE SEQUENCE tries;
            CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF nextval('tries') = 1 THEN RAISE EXCEPTION 'lost a race' USING ERRCODE = '40001'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER fail_once BEFORE INSERT ON ingest_batches FOR EACH ROW EXECUTE FUNCTION fail_once()
            """);
        var source = $"sensor {Guid.NewGuid():N}";
        var measured = new ConcurrentQueue<(string Name, double Value, Dictionary<string, object?> Tags)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, me) =>
            {
                if (instrument.Meter.Name == "CobaltGraph")
                    me.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
        var rows = Rows(10).ToList();
        rows.Add(new Connection { Timestamp = DateTimeOffset.UnixEpoch, DstIp = rows[0].DstIp, DstPort = 70_000 });

        await new IngestService(Database.DataSource).StoreBatchAsync(source, "1", rows, Cancel);
        await new IngestService(Database.DataSource).StoreBatchAsync(source, "1", rows, Cancel);

        Assert.Equal(
            ["duplicate 10", "rejected 1", "rejected 1", "stored 10"],
            measured.Where(m => m.Name == "cobaltgraph.ingest.rows" && source.Equals(m.Tags["cobaltgraph.source"]))
                .Select(m => $"{m.Tags["cobaltgraph.outcome"]} {m.Value}").Order());
        // Tests beside this one measure too, and these two do not say the source.
        Assert.Contains(measured, m => m.Name == "cobaltgraph.ingest.retries" && "connections".Equals(m.Tags["cobaltgraph.kind"]));
        Assert.Contains(measured, m => m is { Name: "cobaltgraph.ingest.batch.duration", Value: > 0 });

        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
            => measured.Enqueue((instrument.Name, value, tags.ToArray().ToDictionary()));
    }

    [Fact]
    public async Task Batch_is_a_span_that_names_its_source_and_not_what_is_in_it()
    {
        var source = $"sensor {Guid.NewGuid():N}";
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = activities => activities.Name == "CobaltGraph",
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);

        await new IngestService(Database.DataSource).StoreBatchAsync(source, "1", Rows(10).ToList(), Cancel);

        var span = Assert.Single(spans, span => source.Equals(span.GetTagItem("cobaltgraph.source")));
        Assert.Equal("cobaltgraph.ingest.batch", span.OperationName);
        Assert.Equal(["cobaltgraph.rows", "cobaltgraph.source"], span.TagObjects.Select(tag => tag.Key).Order());
        Assert.Equal(10L, span.GetTagItem("cobaltgraph.rows"));
    }
}
