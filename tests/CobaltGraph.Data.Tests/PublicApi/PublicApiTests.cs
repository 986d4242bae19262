using CobaltGraph.Model;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.PublicApi;

public class PublicApiTests
{
    [Theory]
    [InlineData(typeof(Device))]
    [InlineData(typeof(CobaltGraphContext))]
    public void Public_api_is_the_reviewed_one(Type type)
    {
        var name = type.Assembly.GetName().Name!;

        var (reviewed, now) = Testing.PublicApi.Compare(
            type.Assembly, Repository.PathOf("tests", "CobaltGraph.Data.Tests", "PublicApi", $"{name}.txt"));

        Assert.Equal(reviewed, now);
    }
}
