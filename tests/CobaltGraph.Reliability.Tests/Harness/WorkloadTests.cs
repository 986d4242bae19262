using CobaltGraph.Model;
using CobaltGraph.Reliability.Audit;
using CobaltGraph.Reliability.Workloads;

namespace CobaltGraph.Reliability.Tests.Harness;

public sealed class WorkloadTests
{
    [Fact]
    public void Same_seed_and_purpose_give_the_same_rows_and_others_do_not()
    {
        Assert.Equal(Hash(1, "a"), Hash(1, "a"));
        Assert.Equal(4, new[] { Hash(1, "a"), Hash(2, "a"), Hash(1, "b"), Hash(3, "a") }.Distinct().Count());

        static string Hash(int seed, string purpose)
        {
            var model = new NetworkModel();
            model.Add(new Workload(Seed.Random(purpose, seed)).Batch("b", 50));
            return model.Contents().Hash();
        }
    }

    // Rows that never differ in a column could not show that it is stored wrongly.
    [Fact]
    public void Rows_differ_in_every_column_and_are_past()
    {
        var rows = new Workload(Seed.Random("columns"), new() { Threats = 0.2, Unknown = 0.1 }).Batch("b", 2000);

        foreach (var column in typeof(Connection).GetProperties().Where(p => p.Name is not ("Id" or "Device")))
        {
            var values = rows.Select(row => column.GetValue(row)).ToList();
            Assert.True(values.Distinct().Count() > 2, $"{column.Name} is always the same.");
            if (Nullable.GetUnderlyingType(column.PropertyType) is not null)
                Assert.Contains(null, values);
        }

        Assert.All(rows, row => Assert.True(row.Timestamp < TimeProvider.System.GetUtcNow().AddHours(-1)));
        Assert.True(rows.Select(row => row.Timestamp.Month).Distinct().Count() >= 3);
        Assert.Equal(rows.Count, Workload.Identities(rows).Distinct().Count());
    }
}
