using CobaltGraph.Testing;

namespace CobaltGraph.Seeding.Tests.PublicApi;

public class PublicApiTests
{
    [Fact]
    public void Public_api_is_the_reviewed_one()
    {
        var (reviewed, now) = CobaltGraph.Testing.PublicApi.Compare(
            typeof(Site).Assembly, Repository.PathOf("tests", "CobaltGraph.Seeding.Tests", "PublicApi", "CobaltGraph.Seeding.txt"));

        Assert.Equal(reviewed, now);
    }
}
