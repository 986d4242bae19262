namespace CobaltGraph.Seeding.Tests;

[Collection(Alone.Name)]
public class MemoryTests
{
    [Fact]
    public void Memory_does_not_grow_with_the_number_of_connections()
    {
        var site = Site.Create(Rows.Options(SiteRecipe.Campus, 500, 1_500_000));
        var most = 0L;
        var early = 0L;
        var n = 0;
        foreach (var _ in site.Connections())
        {
            if (++n % 100_000 != 0)
                continue;
            var used = GC.GetTotalMemory(forceFullCollection: true);
            early = n == 100_000 ? used : early;
            most = Math.Max(most, used);
        }
        Assert.Equal(1_500_000, n);
        Assert.True(most - early < 4_000_000, $"{early} bytes after 100,000 connections, up to {most} later");
    }
}
