using System.Text;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;

namespace CobaltGraph.Data.Tests.Documentation;

// What README.md says is held against the code. COBALTGRAPH_UPDATE_DOCS=1 rewrites the generated block.
public class ReadmeTests
{
    private static readonly string ReadmePath = Repository.PathOf("README.md");

    private static readonly string Readme = File.ReadAllText(ReadmePath);

    [Theory]
    [InlineData("query")]
    [InlineData("register")]
    [InlineData("search")]
    [InlineData("stream")]
    [InlineData("batch")]
    public void Example_is_code_that_a_test_runs(string name)
    {
        var lines = File.ReadAllLines(Repository.PathOf(
            "tests", "CobaltGraph.Data.Tests", "Documentation", "ReadmeExamples.cs"));
        var code = lines
            .SkipWhile(line => line.Trim() != $"// README: {name}").Skip(1)
            .TakeWhile(line => line.Trim() != "// README: end")
            .Select(line => line.Length > 8 ? line[8..] : "")
            .ToArray();

        Assert.NotEmpty(code);
        Assert.Contains($"```csharp\n{string.Join('\n', code)}\n```", Readme);
    }

    [Fact]
    public void Every_migration_is_in_the_history()
    {
        using var context = NewContext();

        Assert.All(context.Database.GetMigrations(), id => Assert.Contains($"`{id}`", Readme));
    }

    [Fact]
    public void Schema_diagram_is_that_of_the_model()
    {
        var diagram = Diagram();
        if (Environment.GetEnvironmentVariable("COBALTGRAPH_UPDATE_DOCS") == "1")
        {
            var from = Readme.IndexOf("```mermaid\n", StringComparison.Ordinal);
            var to = Readme.IndexOf("```", from + 3, StringComparison.Ordinal) + 3;
            File.WriteAllText(ReadmePath, $"{Readme[..from]}{diagram}{Readme[to..]}");
            return;
        }

        Assert.Contains(diagram, Readme);
    }

    private static string Diagram()
    {
        using var context = NewContext();
        var model = ((IDesignTimeModel)context.GetInfrastructure().GetService(typeof(IDesignTimeModel))!).Model.GetRelationalModel();
        var text = new StringBuilder("```mermaid\nerDiagram\n");

        foreach (var key in model.Tables.SelectMany(table => table.ForeignKeyConstraints))
            text.Append($"    {key.PrincipalTable.Name} ||--o{{ {key.Table.Name} : \"{key.Columns[0].Name}\"\n");
        text.Append("    devices ||..o{ device_events : \"device_mac, outlives the device\"\n");

        foreach (var table in model.Tables)
        {
            text.Append($"    {table.Name} {{\n");
            foreach (var column in table.Columns.OrderBy(c => c.PropertyMappings[0].Property.PropertyInfo!.MetadataToken))
            {
                var type = column.StoreType.Replace("character varying", "varchar", StringComparison.Ordinal)
                    .Replace("timestamp with time zone", "timestamptz", StringComparison.Ordinal);
                var marks = new List<string>();
                if (table.PrimaryKey!.Columns.Contains(column))
                    marks.Add("PK");
                if (table.ForeignKeyConstraints.Any(key => key.Columns.Contains(column)))
                    marks.Add("FK");
                text.Append($"        {type} {column.Name} {string.Join(", ", marks)}".TrimEnd()).Append('\n');
            }

            text.Append("    }\n");
        }

        return text.Append("```").ToString();
    }

    private static CobaltGraphContext NewContext()
    {
        return new CobaltGraphContext(new DbContextOptionsBuilder<CobaltGraphContext>().UseCobaltGraph().Options);
    }
}
