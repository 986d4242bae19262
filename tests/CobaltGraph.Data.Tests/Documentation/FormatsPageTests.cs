using CobaltGraph.Data.Import;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Documentation;

public class FormatsPageTests
{
    [Fact]
    public void Every_field_and_column_that_is_read_stands_in_the_page()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "formats.md"));
        string[] names =
        [
            .. Enum.GetValues<ZeekField>().Where(field => field != ZeekField.None).Select(ZeekFields.NameOf),
            .. TableColumns.OfConnections.Concat(TableColumns.OfSightings).Select(TableColumns.NameOf),
        ];

        Assert.All(names, name => Assert.Contains($"`{name}`", page, StringComparison.Ordinal));
    }
}
