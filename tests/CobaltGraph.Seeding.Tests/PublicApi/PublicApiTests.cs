namespace CobaltGraph.Seeding.Tests.PublicApi;

public class PublicApiTests
{
    [Fact]
    public void Public_api_is_the_reviewed_one()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "CobaltGraph.sln")))
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("The tests do not lie inside the repository.");

        var (reviewed, now) = Testing.PublicApi.Compare(
            typeof(Site).Assembly, Path.Combine(root, "tests", "CobaltGraph.Seeding.Tests", "PublicApi", "CobaltGraph.Seeding.txt"));

        Assert.Equal(reviewed, now);
    }
}
