using System.Data.Common;
using System.Net;
using System.Text.RegularExpressions;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace CobaltGraph.Data.Tests.Queries;

public class ConnectionSearchTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private ServiceProvider? _services;

    private IConnectionQueries Queries => (_services ??= new ServiceCollection()
        .AddCobaltGraph(Database.DataSource).BuildServiceProvider()).GetRequiredService<IConnectionQueries>();

    [Theory]
    [InlineData(8, 90)]
    [InlineData(9, 40)]
    public async Task Any_pair_of_conditions_gives_the_rows_that_plain_comparison_gives(int seed, int destinations)
    {
        var all = await ConnectionRows.SeedAsync(Database, 5500, Cancel, seed, destinations);
        var random = new Random(seed);
        var strategies = new HashSet<SearchStrategy>();

        for (var i = 0; i < 70; i++)
        {
            var filter = new ConnectionFilter();
            for (var conditions = random.Next(1, 4); conditions > 0; conditions--)
                filter = ConnectionRows.With(filter, random);
            if (filter.From >= filter.Until)
                continue;
            var order = (ConnectionOrder)random.Next(2);
            var expected = Expected(all, filter, order).ToList();

            var page = await Queries.SearchAsync(filter, new PageRequest { Limit = 7 }, order, Cancel);
            strategies.Add(page.Strategy);
            Assert.True(
                expected.Take(7).Select(c => c.Id).SequenceEqual(page.Items.Select(c => c.Id)),
                $"{i}: {filter} {order} {page.Strategy}");
            Assert.Equal(expected.Count > 7, page.HasMore);
            Assert.Equal(new RowCount(expected.Count, true), await Queries.CountAsync(filter, cancellationToken: Cancel));
            if (page.Next is null)
                continue;

            var second = await Queries.SearchAsync(filter, new PageRequest { Limit = 20, Cursor = page.Next }, order, Cancel);
            Assert.True(
                expected.Skip(7).Take(20).Select(c => c.Id).SequenceEqual(second.Items.Select(c => c.Id)),
                $"{i}, second page: {filter} {order} {second.Strategy}");
            var back = await Queries.SearchAsync(filter, new PageRequest { Limit = 5, Cursor = second.Previous }, order, Cancel);
            Assert.True(
                expected.Skip(2).Take(5).Select(c => c.Id).SequenceEqual(back.Items.Select(c => c.Id)),
                $"{i}, back: {filter} {order} {back.Strategy}");
        }

        // Of so few rows hardly any are looked up by destination: the next test does.
        Assert.Superset(
            new HashSet<SearchStrategy> { SearchStrategy.Direct, SearchStrategy.TimeOrder, SearchStrategy.ByDevice, SearchStrategy.Empty }, strategies);
    }

    [Theory]
    [InlineData(3, 5)]
    [InlineData(4, 1000)]
    public async Task Narrowed_search_gives_the_same_rows_however_tight_its_limits(int seed, int maxCandidates)
    {
        var all = await ConnectionRows.SeedAsync(Database, 3000, Cancel, seed, destinations: 150);
        var random = new Random(seed);
        var strategies = new HashSet<SearchStrategy>();

        for (var i = 0; i < 80; i++)
        {
            var filter = ConnectionRows.With(ConnectionRows.With(new ConnectionFilter(), random), random);
            if (filter.From >= filter.Until)
                continue;
            var order = (ConnectionOrder)random.Next(2);
            var expected = Expected(all, filter, order).ToList();
            var skipped = random.Next(2) == 0 || expected.Count < 2 ? null : expected[random.Next(expected.Count - 1)];
            var inclusive = random.Next(2) == 0;
            await using var context = Database.NewContext();
            var search = new ConnectionSearch(context, filter)
            {
                Descending = order == ConnectionOrder.NewestFirst,
                Position = skipped is null ? null : new CursorPosition(false, inclusive, [skipped.Timestamp, skipped.Id]),
                Take = 6,
                GlanceRows = i % 3 * 5,
                FewRows = i % 4 * 400,
                FewCandidates = 3,
                MaxCandidates = maxCandidates,
                ManyConnections = 50,
                ScoredRows = i % 2 * 25,
            };

            var rows = await search.RunAsync(Cancel);
            strategies.Add(search.Strategy);

            var from = skipped is null ? 0 : expected.IndexOf(skipped) + (inclusive ? 0 : 1);
            Assert.True(
                expected.Skip(from).Take(6).Select(c => c.Id).SequenceEqual(rows.Select(c => c.Id)), $"{i}: {filter} {order} {search.Strategy}");
        }

        Assert.Equal(Enum.GetValues<SearchStrategy>().Order(), strategies.Order());
    }

    [Fact]
    public async Task Pages_neither_repeat_nor_skip_rows_while_others_arrive()
    {
        var before = await ConnectionRows.SeedAsync(Database, 400, Cancel, seed: 5);
        var random = new Random(6);
        var newestFirst = before.OrderByDescending(c => c.Timestamp).ThenByDescending(c => c.Id).Select(c => c.Id).ToList();
        var seen = new List<long>();
        var cursors = new List<string>();

        var page = await Queries.SearchAsync(page: new PageRequest { Limit = 30 }, cancellationToken: Cancel);
        seen.AddRange(page.Items.Select(c => c.Id));
        Assert.Null(page.Previous);
        while (page.Next is not null)
        {
            await InsertAsync(random);
            page = await Queries.SearchAsync(page: new PageRequest { Limit = 30, Cursor = page.Next }, cancellationToken: Cancel);
            seen.AddRange(page.Items.Select(c => c.Id));
            Assert.NotNull(page.Previous);
        }

        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Equal(newestFirst, seen.Where(newestFirst.Contains));

        var back = new List<long>(page.Items.Select(c => c.Id).Reverse());
        while (page.Previous is not null)
        {
            await InsertAsync(random);
            page = await Queries.SearchAsync(page: new PageRequest { Limit = 17, Cursor = page.Previous }, cancellationToken: Cancel);
            back.AddRange(page.Items.Select(c => c.Id).Reverse());
            cursors.Add(page.Next!);
        }

        back.Reverse();
        Assert.Equal(back.Count, back.Distinct().Count());
        Assert.Equal(newestFirst, back.Where(newestFirst.Contains));
        Assert.Equal(cursors.Count, cursors.Distinct().Count());
    }

    [Fact]
    public async Task Page_beyond_the_last_row_leads_back_to_it()
    {
        await ConnectionRows.SeedAsync(Database, 10, Cancel, seed: 7);
        var first = await Queries.SearchAsync(page: new PageRequest { Limit = 5 }, cancellationToken: Cancel);
        await Run("TRUNCATE connections");
        await ConnectionRows.SeedAsync(Database, 3, Cancel, seed: 8);
        await Run($"DELETE FROM connections WHERE \"timestamp\" < '{first.Items[^1].Timestamp:O}'");

        var second = await Queries.SearchAsync(page: new PageRequest { Limit = 5, Cursor = first.Next }, cancellationToken: Cancel);
        Assert.Empty(second.Items);
        Assert.Null(second.Next);
        var back = await Queries.SearchAsync(page: new PageRequest { Limit = 5, Cursor = second.Previous }, cancellationToken: Cancel);

        Assert.Equal(await Count("connections"), back.Items.Count);
    }

    [Fact]
    public async Task Empty_database_gives_empty_pages_and_no_rows()
    {
        var random = new Random(9);
        for (var i = 0; i < 20; i++)
        {
            var filter = ConnectionRows.With(new ConnectionFilter(), random);
            var page = await Queries.SearchAsync(filter, cancellationToken: Cancel);
            Assert.Empty(page.Items);
            Assert.Equal((null, null, false), (page.Next, page.Previous, page.HasMore));
            Assert.Equal(new RowCount(0, true), await Queries.CountAsync(filter, cancellationToken: Cancel));
        }
    }

    [Fact]
    public async Task Cursor_of_another_filter_or_order_is_refused()
    {
        await ConnectionRows.SeedAsync(Database, 10, Cancel, seed: 10);
        var filter = new ConnectionFilter { Protocol = "TCP" };
        var cursor = (await Queries.SearchAsync(filter, new PageRequest { Limit = 1 }, cancellationToken: Cancel)).Next;
        var request = new PageRequest { Cursor = cursor };

        await Queries.SearchAsync(filter with { Protocol = "tcp" }, request, cancellationToken: Cancel);
        await RefusedAsync(filter with { Protocol = "UDP" }, request, ConnectionOrder.NewestFirst);
        await RefusedAsync(filter with { From = ConnectionRows.Start }, request, ConnectionOrder.NewestFirst);
        await RefusedAsync(filter, request, ConnectionOrder.OldestFirst);
        await RefusedAsync(filter, request with { Cursor = cursor![..^3] }, ConnectionOrder.NewestFirst);

        async Task RefusedAsync(ConnectionFilter other, PageRequest page, ConnectionOrder order)
            => Assert.Equal(
                "cursor", (await Assert.ThrowsAsync<QueryFilterException>(() => Queries.SearchAsync(other, page, order, Cancel))).Field);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1001)]
    public async Task Limit_out_of_bounds_is_refused(int limit)
        => Assert.Equal("limit", (await Assert.ThrowsAsync<QueryFilterException>(
            () => Queries.SearchAsync(page: new PageRequest { Limit = limit }, cancellationToken: Cancel))).Field);

    [Fact]
    public async Task Row_of_a_removed_device_is_found_by_its_source_address()
    {
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port, dst_country)
            VALUES ('2026-01-01', '02:00:5e:00:00:01', '10.0.0.1', '198.51.100.1', 443, 'IS');
            DELETE FROM devices
            """);

        foreach (var country in (string?[])[null, "IS"])
        {
            var filter = new ConnectionFilter { Source = IPNetwork.Parse("10.0.0.0/24"), Country = country };
            Assert.Single((await Queries.SearchAsync(filter, cancellationToken: Cancel)).Items);
            Assert.Equal(new RowCount(1, true), await Queries.CountAsync(filter, cancellationToken: Cancel));
        }
    }

    // What a device sends before it has an address is in connections, and is no address that it held.
    [Theory]
    [InlineData("0.0.0.0", "0.0.0.0/32")]
    [InlineData("0.0.0.0", "0.0.0.0/0")]
    [InlineData("::", "::/128")]
    [InlineData("::", "::/0")]
    public async Task Row_from_a_device_without_an_address_is_found(string source, string network)
    {
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port, dst_country)
            VALUES ('2026-01-01', '02:00:5e:00:00:01', '{source}', '198.51.100.1', 67, 'IS'),
                   ('2026-01-01', NULL, '{source}', '198.51.100.1', 68, 'IS')
            """);

        foreach (var country in (string?[])[null, "IS"])
        {
            var filter = new ConnectionFilter { Source = IPNetwork.Parse(network), Country = country };
            foreach (var wanted in (ConnectionFilter[])[filter, filter with { Devices = [ConnectionRows.Device(1)] }])
            {
                var rows = wanted.Devices is null ? 2 : 1;
                Assert.Equal(rows, (await Queries.SearchAsync(wanted, cancellationToken: Cancel)).Items.Count);
                Assert.Equal(new RowCount(rows, true), await Queries.CountAsync(wanted, cancellationToken: Cancel));
            }
        }
    }

    [Fact]
    public async Task Row_from_a_clock_that_is_ahead_is_found()
    {
        await ConnectionRows.SeedAsync(Database, 300, Cancel, seed: 11);
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port, dst_country)
            VALUES (now() + interval '400 days', '02:00:5e:00:00:01', '10.0.0.1', '198.51.100.1', 444, 'IS')
            """);
        foreach (var filter in (ConnectionFilter[])
            [
                new() { Country = "IS" }, new() { Devices = [ConnectionRows.Device(1)], Country = "IS" },
                new() { Source = IPNetwork.Parse("10.0.0.0/24"), Country = "IS" },
            ])
        {
            await using var context = Database.NewContext();
            var search = new ConnectionSearch(context, filter) { Take = 1, GlanceRows = 0, FewRows = 0, FewCandidates = 0 };
            Assert.Equal(444, Assert.Single(await search.RunAsync(Cancel)).DstPort);
        }
    }

    // Addresses change hands, come back after days, are shared, and have rows of clocks that are hours or years ahead.
    [Theory]
    [InlineData(1, 64, 256)]
    [InlineData(2, 1, 256)]
    [InlineData(3, 1, 1)]
    public async Task Rows_of_a_source_are_found_in_the_times_in_which_devices_used_it(int seed, int fewCandidates, int maxUses)
    {
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port, dst_country)
            SELECT CASE WHEN r % 97 = 0 THEN now() + r % 7 * interval '300 days' ELSE now() - r % 60 * interval '1 day' + r % 5 * interval '7 hours' END,
                   ('02:00:5e:00:00:0' || 1 + r % 3)::macaddr, ('10.0.0.' || 1 + r % 60 / 4 % 4)::inet, '198.51.100.1', 443,
                   CASE WHEN r % 11 = 0 THEN 'IS' ELSE 'DE' END
            FROM (SELECT (n * 7919 + {seed} * 104729) % 10007 AS r FROM generate_series(1, 800) AS n) AS r
            """);
        var now = new DateTimeOffset(await Database.ScalarAsync<DateTime>("SELECT now()"));
        var all = await ConnectionRows.AllAsync(Database, Cancel);
        await using var context = Database.NewContext();
        foreach (var order in Enum.GetValues<ConnectionOrder>())
        {
            foreach (var network in (string[])["10.0.0.1/32", "10.0.0.2/32", "10.0.0.4/32", "10.0.0.0/29"])
            {
                foreach (var country in (string?[])[null, "IS"])
                {
                    foreach (var devices in (MacAddress[]?[])[null, [ConnectionRows.Device(2)]])
                    {
                        var filter = new ConnectionFilter { Source = IPNetwork.Parse(network), Country = country, Devices = devices };
                        foreach (var wanted in (ConnectionFilter[])
                            [filter, filter with { From = now.AddDays(-40), Until = now.AddDays(-10) }])
                        {
                            var expected = Expected(all, wanted, order).ToList();
                            Assert.NotEmpty(expected);
                            CursorPosition? position = null;
                            for (var read = 0; read < expected.Count; read += 7)
                            {
                                var search = new ConnectionSearch(context, wanted)
                                {
                                    Take = 7, GlanceRows = 0, FewRows = 0, GlanceGrowth = 0, Descending = order == ConnectionOrder.NewestFirst, Position = position,
                                    FewCandidates = fewCandidates, MaxUses = maxUses,
                                };
                                if (position is null)
                                    Assert.Equal(expected.Count, await search.CountAsync(10_000, Cancel));
                                var rows = await search.RunAsync(Cancel);
                                Assert.Equal(expected.Skip(read).Take(7).Select(c => c.Id), rows.Select(c => c.Id));
                                position = new CursorPosition(false, false, [rows[^1].Timestamp, rows[^1].Id]);
                            }
                        }
                    }
                }
            }
        }
    }

    // A score below those with an index is looked up with the edges, which rows without a device do not have.
    [Fact]
    public async Task Rows_of_a_low_score_are_found_by_their_destination_with_and_without_a_device()
    {
        await ConnectionRows.SeedAsync(Database, 1500, Cancel, seed: 5);
        await Run("DELETE FROM devices WHERE mac_address IN ('02:00:5e:00:00:03', '02:00:5e:00:00:07')");
        var all = await ConnectionRows.AllAsync(Database, Cancel);
        await using var context = Database.NewContext();
        foreach (var score in (float[])[0.1f, 1.9f])
        {
            foreach (var filter in (ConnectionFilter[])
                [
                    new() { Destination = IPNetwork.Parse("198.51.101.1/32") }, new() { Destination = IPNetwork.Parse("198.51.100.0/24") },
                    new() { Hostname = "example.net" }, new() { Country = "IS" }, new() { Destination = IPNetwork.Parse("203.0.113.1/32") },
                    new() { Destination = IPNetwork.Parse("198.51.101.1/32"), Until = ConnectionRows.Start.AddDays(40) },
                ])
            {
                var wanted = filter with { MinScore = score };
                foreach (var order in Enum.GetValues<ConnectionOrder>())
                {
                    var search = new ConnectionSearch(context, wanted)
                    {
                        Take = 4, GlanceRows = 0, FewRows = 0, GlanceGrowth = 0, Descending = order == ConnectionOrder.NewestFirst,
                    };
                    Assert.Equal(Expected(all, wanted, order).Take(4).Select(c => c.Id), (await search.RunAsync(Cancel)).Select(c => c.Id));
                }
            }
        }

        Assert.Contains(all, row => row is { SrcMac: null, ThreatScore: > 0.1f and < 2 });
    }

    [Theory]
    [InlineData(1, 1)]
    // A guest address that each had for a minute a day.
    [InlineData(100, 1440)]
    [InlineData(1000, 1440)]
    public async Task What_a_device_sent_after_it_used_an_address_is_not_read(int devices, int apart)
    {
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port)
            SELECT CASE WHEN n < greatest(30, {devices}) THEN now() - interval '1500 days' + n % {devices} * interval '{apart} minutes' + n / {devices} * interval '1 second'
                   ELSE now() - interval '100 days' + n * interval '1 minute' END,
                   ('02005e00' || lpad(to_hex(n % {devices}), 4, '0'))::macaddr,
                   CASE WHEN n < greatest(30, {devices}) THEN '10.0.0.1' ELSE '10.0.0.2' END::inet, '198.51.100.1', 443
            FROM generate_series(1, 30000) AS n;
            ANALYZE
            """);
        await Run("SELECT pg_stat_reset()");

        // A server process reports what it read at its end at the latest.
        await using (var source = NpgsqlDataSource.Create(Database.ConnectionString))
        {
            await using var context = new CobaltGraphContext(
                new DbContextOptionsBuilder<CobaltGraphContext>().UseCobaltGraph(source).Options);
            var search = new ConnectionSearch(context, new ConnectionFilter { Source = IPNetwork.Parse("10.0.0.1/32") })
            {
                Take = 50, GlanceRows = 0, FewRows = 0, GlanceGrowth = 0,
            };
            Assert.Equal(devices == 1 ? 29 : 50, (await search.RunAsync(Cancel)).Count);
        }

        const string Read = "SELECT sum(coalesce(idx_tup_fetch, 0) + seq_tup_read) FROM pg_stat_user_tables WHERE relname LIKE 'connections%'";
        var read = 0m;
        for (var tries = 0; tries < 50 && read == 0; tries++)
        {
            await Task.Delay(100, Cancel);
            read = await Database.ScalarAsync<decimal>(Read);
        }

        Assert.InRange(read, 1, 2_000);
    }

    // Whoever writes by SQL may write so.
    [Fact]
    public async Task Row_is_found_by_protocol_and_country_in_small_letters_and_by_an_address_in_the_notation_of_ipv6()
    {
        await Run("""
            INSERT INTO connections (src_mac, src_ip, dst_ip, dst_port, protocol, dst_country)
            VALUES ('02:00:00:00:00:01', '10.0.0.5', '192.0.2.1', 443, 'tcp', 'ch'), ('02:00:00:00:00:02', '10.0.0.6', '192.0.2.2', 80, 'TCP', 'CH')
            """);
        var mapped = IPAddress.Parse("::ffff:10.0.0.5");

        Assert.Equal(2, await Find(new() { Protocol = "Tcp" }));
        Assert.Equal(2, await Find(new() { Country = "ch" }));
        Assert.Equal(1, await Find(new() { Source = new(mapped, 128) }));
        Assert.Equal(2, await Find(new() { Source = new(IPAddress.Parse("::ffff:10.0.0.4"), 126) }));
        Assert.Equal(1, await Find(new ConnectionFilter().With("destination", "::ffff:192.0.2.1")));
        Assert.Equal(new ConnectionFilter().With("source", "10.0.0.0/24"), new ConnectionFilter().With("source", "::ffff:10.0.0.0/120"));
        await using var context = Database.NewContext();
        Assert.Equal(1, await context.Connections.FromNetwork(new(mapped, 128)).ToAddress(IPAddress.Parse("::ffff:192.0.2.1")).CountAsync(Cancel));

        async Task<int> Find(ConnectionFilter filter) => (await Queries.SearchAsync(filter, cancellationToken: Cancel)).Items.Count;
    }

    [Fact]
    public async Task Row_to_an_address_that_has_a_prefix_length_elsewhere_is_found_once()
    {
        await Run("""
            INSERT INTO connections (dst_ip, dst_port, dst_org) VALUES ('192.0.2.1', 443, 'Example'), ('192.0.2.1/24', 443, 'Example'), ('192.0.2.9', 443, 'Example')
            """);

        await using var context = Database.NewContext();
        var search = new ConnectionSearch(context, new() { Organization = "exam" }) { Take = 10, GlanceRows = 0, FewRows = 0 };
        var rows = await search.RunAsync(Cancel);

        Assert.Equal(SearchStrategy.ByDestination, search.Strategy);
        Assert.Equal(rows.Select(c => c.Id).Distinct().Count(), rows.Count);
        Assert.Contains(rows, c => c.DstIp.Equals(IPAddress.Parse("192.0.2.9")));
    }

    [Theory]
    [InlineData(ConnectionOrder.NewestFirst)]
    [InlineData(ConnectionOrder.OldestFirst)]
    public async Task Times_that_dotnet_does_not_have_hide_nothing_else(ConnectionOrder order)
    {
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port, dst_org)
            SELECT t::timestamptz, '02:00:5e:00:00:01', '10.0.0.1', '192.0.2.1', 443, 'Example'
            FROM unnest(ARRAY['4713-01-01 00:00Z BC', '0001-01-01Z', '2026-03-01Z', '2026-03-02Z', '2026-03-03Z', '290000-01-01Z']) AS t
            """);

        foreach (var filter in (ConnectionFilter[])[new(), new() { From = DateTimeOffset.MinValue, Until = DateTimeOffset.MaxValue }, new() { Organization = "exam" }, new() { Destination = new(IPAddress.Parse("192.0.2.1"), 32) }, new() { Source = new(IPAddress.Parse("10.0.0.1"), 32) }])
        {
            var first = await Queries.SearchAsync(filter, new() { Limit = 2 }, order, Cancel);
            var second = await Queries.SearchAsync(filter, new() { Limit = 2, Cursor = first.Next }, order, Cancel);
            var days = first.Items.Concat(second.Items).Select(c => c.Timestamp.Day);
            Assert.Equal(order == ConnectionOrder.NewestFirst ? [3, 2, 1] : [1, 2, 3], days);
            Assert.False(second.HasMore);
        }
    }

    // Two for the server, and one in .NET.
    [Fact]
    public async Task Destinations_beyond_those_that_are_looked_at_are_counted_and_found_though_two_of_these_are_one()
    {
        await Run("""
            INSERT INTO connections (dst_ip, dst_port, dst_org)
            SELECT ip::inet, 443, 'Example' FROM unnest(ARRAY['192.0.2.1', '192.0.2.1/24', '192.0.2.8', '192.0.2.9']) AS ip
            """);
        await using var context = Database.NewContext();
        var search = new ConnectionSearch(context, new() { Organization = "exam" }) { Take = 10, GlanceRows = 0, FewRows = 0, MaxCandidates = 2 };

        Assert.Equal(4, await search.CountAsync(100, Cancel));
        Assert.Equal(4, (await search.RunAsync(Cancel)).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Slices_of_time_end_with_the_calendar(bool descending)
    {
        var edge = descending ? DateTimeOffset.MinValue.AddMinutes(1) : DateTimeOffset.MaxValue.AddMinutes(-1);
        var middle = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
        // Hints, which rows of a sensor whose clock is wrong lie far from.
        Candidate<int>[] candidates = [new(1, middle.AddYears(-1), middle, 1_000_000_000_000)];

        Assert.Equal([(null, null)], TimeSlices.Cut(candidates, edge, null, descending, 50, () => 0));
        var slices = TimeSlices.Cut(candidates, middle.AddMonths(-6), null, descending, 50, () => 0).ToList();
        Assert.InRange(slices.Count, 3, 10);
        Assert.Equal((null, null), descending ? (slices[^1].From, slices[0].Until) : (slices[0].From, slices[^1].Until));
        for (var i = 1; i < slices.Count; i++)
            Assert.Equal(descending ? slices[i - 1].From : slices[i - 1].Until, descending ? slices[i].Until : slices[i].From);
    }

    // The first holds four times what is wanted if all match; what matches by then tells how long the next one has to be.
    [Theory]
    [InlineData(true, 0, 8)]
    [InlineData(true, 5, 4)]
    [InlineData(true, 15, 3.5)]
    [InlineData(true, 40, 2)]
    [InlineData(false, 15, 3.5)]
    public void Slices_of_time_grow_as_far_as_what_is_found_asks_for(bool descending, int found, double expected)
    {
        var begin = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
        Candidate<int>[] candidates = [new(1, begin, begin.AddHours(1000), 200_000)];
        var sum = 0;
        var slices = new List<(DateTimeOffset? From, DateTimeOffset? Until)>();
        foreach (var slice in TimeSlices.Cut(candidates, null, null, descending, 50, () => sum))
        {
            slices.Add(slice);
            sum = found;
        }

        var edges = slices.ConvertAll(slice => descending ? slice.From : slice.Until);
        Assert.Equal(
            slices, edges.Select((edge, i) => descending ? (edge, i == 0 ? null : edges[i - 1]) : (i == 0 ? null : edges[i - 1], edge)));
        Assert.Null(edges[^1]);
        edges.Insert(0, descending ? begin.AddHours(1000) : begin);
        var hours = edges[..^1].Zip(edges[1..^1], (one, next) => (next - one)!.Value.Duration().TotalHours).ToList();
        // After the second nothing more is found.
        Assert.Equal([1, expected, .. Enumerable.Range(1, hours.Count - 2).Select(i => expected * Math.Pow(8, i))], hours);
    }

    [Theory]
    [InlineData(100, 0, 800)]
    [InlineData(100, 5, 400)]
    [InlineData(100, 20, 375)]
    [InlineData(100, 49, 153)]
    [InlineData(0, 0, 0)]
    public void First_slice_of_time_is_as_long_as_what_was_looked_through_asks_for(double looked, int found, double expected)
        => Assert.Equal(expected, TimeSlices.Again(looked, 50, found), 0.5);

    // What a sensor without a clock has sent.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Slices_of_time_may_be_as_long_as_it(bool descending)
    {
        Candidate<int>[] candidates = [new(1, DateTimeOffset.MinValue, DateTimeOffset.MaxValue, 2100)];

        Assert.Equal(2, TimeSlices.Cut(candidates, null, null, descending, 50, () => 0).Count());
    }

    [Theory]
    [InlineData(5, SearchStrategy.ByDestination)]
    [InlineData(6, SearchStrategy.Direct)]
    public async Task Rows_of_a_rare_category_are_read_before_those_of_many_destinations(long many, SearchStrategy expected)
    {
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port, dst_org, threat_category)
            SELECT '2026-03-01Z'::timestamptz + i * interval '1 minute', '02:00:00:00:00:01', '192.0.2.0'::inet + i % 50, 443, 'Example',
                   CASE WHEN i % 20 = 0 THEN 'c2' END
            FROM generate_series(1, 120) AS i
            """);
        await using var context = Database.NewContext();
        var search = new ConnectionSearch(context, new() { Organization = "exam", Category = "c2" })
        {
            Take = 10,
            GlanceRows = 0,
            ManyConnections = many,
        };

        var rows = await search.RunAsync(Cancel);

        Assert.Equal(expected, search.Strategy);
        Assert.Equal([120, 100, 80, 60, 40, 20], rows.Select(c => (c.Timestamp - new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero)).TotalMinutes));
    }

    [Theory]
    [InlineData(120, SearchStrategy.ByDestination)]
    [InlineData(121, SearchStrategy.Direct)]
    public async Task Few_rows_are_read_before_asking_which_can_match(int few, SearchStrategy expected)
    {
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port, dst_country)
            SELECT '2026-03-01Z'::timestamptz + i * interval '1 minute', '02:00:00:00:00:01', '192.0.2.0'::inet + i % 50, 443,
                   CASE WHEN i <= 5 THEN 'IS' END
            FROM generate_series(1, 130) AS i
            """);
        await using var context = Database.NewContext();
        var search = new ConnectionSearch(
            context, new() { Country = "IS", Until = new DateTimeOffset(2026, 3, 1, 2, 1, 0, TimeSpan.Zero) })
        {
            Take = 10,
            GlanceRows = 0,
            FewRows = few,
        };

        var rows = await search.RunAsync(Cancel);

        Assert.Equal(expected, search.Strategy);
        Assert.Equal([5, 4, 3, 2, 1], rows.Select(c => (c.Timestamp - new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero)).TotalMinutes));
    }

    // For each of many devices the server may read all rows of the destination: of that or of them, the fewer are read.
    [Theory]
    [InlineData(3, 60, SearchStrategy.Direct)]
    [InlineData(1000, 60, SearchStrategy.ByDevice)]
    [InlineData(3, 10, SearchStrategy.ByDevice)]
    public async Task Destination_of_many_devices_of_a_network_is_read_once_where_it_has_fewer(int many, int elsewhere, SearchStrategy expected)
    {
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port)
            SELECT '2026-03-01Z'::timestamptz + i * interval '1 minute', ('02:00:00:00:00:0' || CASE WHEN i <= 4 THEN i ELSE 9 END)::macaddr,
                   CASE WHEN i <= 4 THEN '10.0.0.0' ELSE '10.9.0.0' END::inet + i, inet '192.0.2.1', 443
            FROM generate_series(1, 50) AS i
            UNION ALL
            SELECT '2026-03-01Z'::timestamptz + i * interval '1 minute', '02:00:00:00:00:01', '10.0.0.1', inet '192.0.2.9', 443
            FROM generate_series(1, {elsewhere}) AS i
            """);
        await using var context = Database.NewContext();
        var search = new ConnectionSearch(
            context, new() { Source = IPNetwork.Parse("10.0.0.0/24"), Destination = IPNetwork.Parse("192.0.2.1/32") })
        {
            Take = 10,
            GlanceRows = 20,
            MaxUses = 2,
            FewCandidates = 1,
            ManyConnections = many,
        };

        var rows = await search.RunAsync(Cancel);

        Assert.Equal(expected, search.Strategy);
        Assert.Equal([4, 3, 2, 1], rows.Select(c => c.Timestamp.Minute));
    }

    // Whether few of the rows have the metadata, as the first ones tell; destinations come first where many have.
    [Theory]
    [InlineData("""{"n": 7}""", SearchStrategy.Direct)]
    [InlineData("""{"all": true}""", SearchStrategy.ByDestination)]
    public async Task Rare_metadata_is_looked_up_before_the_destinations(string metadata, SearchStrategy expected)
    {
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port, dst_country, metadata)
            SELECT '2026-03-01Z'::timestamptz + i * interval '1 minute', '02:00:00:00:00:01', '192.0.2.1', 443,
                   CASE WHEN i = 7 THEN 'IS' END, jsonb_build_object('n', i, 'all', true)
            FROM generate_series(1, 100) AS i
            """);
        await using var context = Database.NewContext();
        var search = new ConnectionSearch(context, new() { Country = "IS", Metadata = metadata }) { Take = 10, GlanceRows = 20, FewRows = 0 };

        Assert.Equal(7, Assert.Single(await search.RunAsync(Cancel)).Timestamp.Minute);
        Assert.Equal(expected, search.Strategy);
    }

    // One of the first rows makes it common when nothing else is asked for, five of more rows beside something else. A score without
    // an index is not looked for before, and what a device rarely has may be common elsewhere.
    [Theory]
    [InlineData(20, null, false, SearchStrategy.Direct, false)]
    [InlineData(21, null, false, SearchStrategy.Direct, true)]
    [InlineData(5, 0.5f, false, SearchStrategy.Direct, false)]
    [InlineData(4, null, true, SearchStrategy.ByDevice, false)]
    [InlineData(5, null, true, SearchStrategy.ByDevice, true)]
    public async Task Metadata_that_many_rows_have_is_hidden_from_the_planner(
        int having, float? score, bool byDevice, SearchStrategy expected, bool isHidden)
    {
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port, threat_score, metadata)
            SELECT '2026-03-01Z'::timestamptz + i * interval '1 minute', '02:00:00:00:00:01', '192.0.2.1', 443, 1,
                   jsonb_build_object('some', i <= {having})
            FROM generate_series(1, 40) AS i
            """);
        var commands = new Commands();
        var options = new DbContextOptionsBuilder<CobaltGraphContext>().UseCobaltGraph(Database.DataSource).AddInterceptors(commands).Options;
        await using var context = new CobaltGraphContext((DbContextOptions<CobaltGraphContext>)options);
        var filter = new ConnectionFilter
        {
            Devices = byDevice ? [MacAddress.Parse("02:00:00:00:00:01")] : null,
            From = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero),
            MinScore = score,
            Metadata = """{"some": true}""",
        };
        // The first look is at the latest 20 of 40.
        var search = new ConnectionSearch(context, filter) { Take = 20, GlanceRows = 40, FewRows = 0 };

        Assert.Equal(Math.Min(having, 20), (await search.RunAsync(Cancel)).Count);
        Assert.Equal(expected, search.Strategy);
        Assert.Equal(isHidden, Regex.IsMatch(commands.Texts[^1], "booleq.*@> "));
    }

    // Its row is the first of all, and tells nothing of how far apart the others are.
    [Theory]
    [InlineData(true, "2100-01-01Z")]
    [InlineData(false, "1970-01-01Z")]
    public async Task Row_of_a_wrong_clock_does_not_make_the_first_times_that_are_read_long(bool descending, string wrong)
    {
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port, dst_org)
            SELECT t, '02:00:00:00:00:01', '192.0.2.0'::inet + i % 100, 443, CASE WHEN i % 10 = 0 THEN 'Example' END
            FROM (
                SELECT i, '2026-03-01Z'::timestamptz + i * interval '1 minute' FROM generate_series(1, 2000) AS i
                UNION ALL SELECT 0, '{wrong}'
            ) AS r (i, t)
            """);
        var commands = new Commands();
        var options = new DbContextOptionsBuilder<CobaltGraphContext>().UseCobaltGraph(Database.DataSource).AddInterceptors(commands).Options;
        await using var context = new CobaltGraphContext((DbContextOptions<CobaltGraphContext>)options);
        var search = new ConnectionSearch(context, new() { Organization = "exam" })
        {
            Descending = descending, Take = 30, GlanceRows = 20, FewRows = 100, FewCandidates = 5,
        };

        var rows = await search.RunAsync(Cancel);

        var all = context.Connections.AsNoTracking().Where(c => c.DstOrg == "Example");
        all = descending ? all.OrderByDescending(c => c.Timestamp) : all.OrderBy(c => c.Timestamp);
        Assert.Equal(await all.Take(30).Select(c => c.Id).ToListAsync(Cancel), rows.Select(c => c.Id));
        Assert.Equal(SearchStrategy.ByDestination, search.Strategy);
        // 80 minutes, and four times as long.
        Assert.Equal(2, commands.Texts.Count(text => text.Contains("JOIN LATERAL", StringComparison.Ordinal)));
    }

    private sealed class Commands : DbCommandInterceptor
    {
        public List<string> Texts { get; } = [];

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            Texts.Add(command.CommandText);
            return base.ReaderExecutingAsync(command, eventData, result, cancellationToken);
        }
    }

    [Fact]
    public async Task More_rows_than_the_cap_are_estimated()
    {
        await ConnectionRows.SeedAsync(Database, 500, Cancel, seed: 12);

        Assert.Equal(new RowCount(500, true), await Queries.CountAsync(cap: 500, cancellationToken: Cancel));
        var estimate = await Queries.CountAsync(cap: 100, cancellationToken: Cancel);
        Assert.False(estimate.IsExact);
        Assert.InRange(estimate.Value, 101, 1000);
        await Assert.ThrowsAsync<QueryFilterException>(() => Queries.CountAsync(cap: -1, cancellationToken: Cancel));
    }

    [Fact]
    public async Task First_rows_of_each_candidate_are_read_by_a_lateral_join()
    {
        await using var context = Database.NewContext();
        var search = new ConnectionSearch(context, new ConnectionFilter()) { Take = 3 };

        var byDestination = search.PerDestination([IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2")], context.Connections).ToQueryString();
        var byDevice = search.PerDevice([ConnectionRows.Device(1), ConnectionRows.Device(2)], context.Connections).ToQueryString();

        Assert.Contains("JOIN LATERAL", byDestination, StringComparison.Ordinal);
        Assert.Contains("WHERE c.dst_ip = s.\"Value\"", byDestination, StringComparison.Ordinal);
        Assert.Contains("JOIN LATERAL", byDevice, StringComparison.Ordinal);
        Assert.Contains("WHERE c.src_mac = d.mac_address", byDevice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_candidates_rows_the_planner_reckons_with_time_alone()
    {
        await using var context = Database.NewContext();
        var filter = new ConnectionFilter { From = DateTimeOffset.UnixEpoch, Country = "UA", Category = "c2", MinScore = 3 };

        var sql = context.Connections.MatchingUnestimated(filter).ToQueryString();

        Assert.Matches(@"WHERE c\.timestamp >= @\w+ AND booleq\(.*dst_country.*threat_score.*threat_category.*, TRUE\)\s*$", sql);
        Assert.DoesNotContain("booleq", context.Connections.MatchingUnestimated(filter with
        {
            Country = null,
            Category = null,
            MinScore = null,
        }).ToQueryString(), StringComparison.Ordinal);
    }

    // A rare category of a busy device is found by the index of categories.
    [Fact]
    public async Task What_does_not_follow_from_the_candidates_is_left_to_the_planner()
    {
        await using var context = Database.NewContext();
        var search = new ConnectionSearch(context, new ConnectionFilter
        {
            Devices = [ConnectionRows.Device(1)],
            Source = IPNetwork.Parse("10.0.0.1/32"),
            Country = "UA",
            Category = "c2",
            MinScore = 3,
            Metadata = """{"n": 7}""",
        });

        Assert.Matches(
            @"dst_country = .*threat_category = .*metadata @> .* AND booleq\(\(?c\.src_mac = @\w+.*src_ip = .*, TRUE\)\s*$",
            search.RowsOfDevices(null, null).ToQueryString());
        Assert.Matches(
            @"threat_score >= @\w+ AND c\.threat_category = @\w+ AND c\.metadata @> .* AND booleq\(.*src_mac.*dst_country.*, TRUE\)\s*$",
            search.RowsOfEdges(null, null).ToQueryString());
    }

    private async Task InsertAsync(Random random)
    {
        await using var context = Database.NewContext();
        for (var i = 0; i < 5; i++)
            context.Connections.Add(ConnectionRows.New(random));
        await context.SaveChangesAsync(Cancel);
    }

    private static IEnumerable<Connection> Expected(List<Connection> all, ConnectionFilter filter, ConnectionOrder order)
    {
        var matching = all.Where(row => ConnectionRows.Matches(filter, row));
        return order == ConnectionOrder.NewestFirst
            ? matching.OrderByDescending(c => c.Timestamp).ThenByDescending(c => c.Id)
            : matching.OrderBy(c => c.Timestamp).ThenBy(c => c.Id);
    }
}
