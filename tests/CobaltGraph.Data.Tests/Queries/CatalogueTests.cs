using CobaltGraph.Data.Queries;
using CobaltGraph.Data.Queries.Catalogue;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Queries;

public class CatalogueTests(PostgresServerFixture server) : TrafficTest(server)
{
    [Fact]
    public async Task Every_member_of_every_query_service_is_in_the_catalogue()
    {
        await StoreAsync(Rows(500));
        var called = (await CallsAsync()).Select(call => call.Method).ToHashSet();

        var members = typeof(IConnectionQueries).Assembly.GetExportedTypes()
            .Where(type => type.IsInterface && type.Namespace == typeof(IConnectionQueries).Namespace)
            .SelectMany(type => type.GetMethods().Select(method => $"{type.Name}.{method.Name}"));

        Assert.Empty(members.Except(called));
    }

    [Fact]
    public async Task Every_condition_and_order_is_in_the_catalogue()
    {
        await StoreAsync(Rows(500));
        var calls = await CallsAsync();
        var searches = calls.Select(call => call.Arguments).OfType<SearchArguments>().ToList();
        var lists = calls.Select(call => call.Arguments).OfType<ListArguments>().ToList();
        var trails = calls.Select(call => call.Arguments).OfType<EventArguments>().ToList();

        // Open ends of a score lie on the same column.
        string[] alike = [nameof(ConnectionFilter.MaxScore)];
        Assert.Empty(typeof(ConnectionFilter).GetProperties().Select(property => property.Name)
            .Where(name => !searches.Exists(search => typeof(ConnectionFilter).GetProperty(name)!.GetValue(search.Filter) is not null))
            .Except(alike));
        Assert.Empty(typeof(DeviceFilter).GetProperties()
            .Where(property => !lists.Exists(list => property.GetValue(list.Filter) is not null)).Select(property => property.Name));
        Assert.Empty(typeof(EventFilter).GetProperties()
            .Where(property => !trails.Exists(trail => property.GetValue(trail.Filter) is not null)).Select(property => property.Name));
        Assert.Empty(Enum.GetValues<DeviceSortColumn>().Except(lists.Select(list => list.Sort.Column)));
    }

    [Fact]
    public async Task Every_pair_of_conditions_is_asked_with_both_in_it()
    {
        await StoreAsync(Rows(500));
        var single = (await CallsAsync()).Where(call => call.Kind is QueryKind.Search or QueryKind.Text).Select(call => call.Query)
            .Where(name => name.StartsWith("connections by ", StringComparison.Ordinal) && !name.EndsWith("within a day", StringComparison.Ordinal))
            .Distinct().Count();

        var pairs = QueryCatalogue.AllPairs(await QuerySamples.DrawAsync(Database.DataSource, 2, 1, Cancel)).ToList();

        // A network and an address are one field, of sources and of destinations. Each pair is asked over everything and within a day.
        Assert.Equal((single * (single - 1)) - 4, pairs.Select(call => call.Query).Distinct().Count());
        Assert.All(pairs, call => Assert.Equal(2, Conditions(((SearchArguments)call.Arguments).Filter)));

        static int Conditions(ConnectionFilter filter) => typeof(ConnectionFilter).GetProperties()
            .Count(property => property.Name is not (nameof(filter.From) or nameof(filter.Until)) && property.GetValue(filter) is not null);
    }

    [Fact]
    public async Task Catalogue_of_an_empty_database_can_be_asked()
    {
        await using var plans = await CataloguePlans.OpenAsync(Database.ConnectionString, Cancel);

        var rows = new List<CallPlan>();
        await foreach (var plan in plans.ReadAsync([], 2, 1, Cancel))
            rows.Add(plan);

        Assert.Contains(rows, plan => plan.Call.Query == "connections");
        Assert.All(rows.Where(plan => plan.Call.Kind is QueryKind.Search or QueryKind.Text or QueryKind.DeviceList), plan => Assert.Equal(0, plan.Rows));
    }

    [Fact]
    public async Task Statements_are_those_that_the_call_sent_with_batches_and_arrays()
    {
        await StoreAsync(Rows(500));
        await using var plans = await CataloguePlans.OpenAsync(Database.ConnectionString, Cancel);

        var rows = new List<CallPlan>();
        await foreach (var plan in plans.ReadAsync(["device detail", "devices by level"], 1, 1, Cancel))
            rows.Add(plan);

        // One of EF Core and a batch of five.
        var detail = rows.First(plan => plan.Call.Query == "device detail" && plan.Rows > 0);
        Assert.Equal(6, detail.Plans.Count);
        Assert.Contains(detail.Plans, plan => plan.Shape.Contains("device_events", StringComparison.Ordinal));
        var levels = rows.Where(plan => plan.Call.Query == "devices by level").ToList();
        Assert.NotEmpty(levels);
        Assert.All(levels, plan => Assert.Single(plan.Statements));
    }

    private async Task<List<QueryCall>> CallsAsync()
        => [.. QueryCatalogue.Calls(await QuerySamples.DrawAsync(Database.DataSource, 2, 1, Cancel))];
}
