using System.Globalization;
using CobaltGraph.Model;

namespace CobaltGraph.Seeding.Tests;

[Collection(Alone.Name)]
public class DeterminismTests
{
    public static TheoryData<string> Names => [.. SiteRecipe.All.Select(recipe => recipe.Name)];

    // A change here means that the same options give other rows than before: say so in the release notes.
    [Theory]
    [InlineData("small-office", "675546c0fd37b6a765a8ab8a03f3dbb167d9fa5b097603536dcf1f3491b89109")]
    [InlineData("campus", "7a66f0ef8c211651e1acfe4af1700a7d74f70a69c7bb9229b0c903ba55b66fcb")]
    [InlineData("iot-plant", "3ca222d53a94e7dbb7768198a2d1a8eb0ca63f0cb25a361f2377a976a980be15")]
    [InlineData("office-under-attack", "caf48c7c355bbd3a97c2d615e29ad37b9f890647b32412af3dd75f797c0ced94")]
    public void Rows_of_a_seed_are_the_same_on_every_machine(string recipe, string expected)
        => Assert.Equal(expected, Rows.Hash(Rows.Options(SiteRecipe.Find(recipe)!, 300, 20_000)));

    [Theory]
    [MemberData(nameof(Names))]
    public void Rows_do_not_depend_on_culture_or_time_zone(string name)
    {
        var options = Rows.Options(SiteRecipe.Find(name)!, 80, 5_000);
        var expected = Rows.Hash(options);

        var culture = CultureInfo.CurrentCulture;
        var zone = Environment.GetEnvironmentVariable("TZ");
        var odd = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        odd.NumberFormat.NegativeSign = "minus";
        odd.NumberFormat.NumberDecimalSeparator = ",";
        odd.DateTimeFormat.FirstDayOfWeek = DayOfWeek.Wednesday;
        odd.DateTimeFormat.Calendar = odd.OptionalCalendars[^1];
        try
        {
            CultureInfo.CurrentCulture = odd;
            Environment.SetEnvironmentVariable("TZ", "Asia/Kathmandu");
            TimeZoneInfo.ClearCachedData();
            var elsewhere = options with { ReferenceTime = Rows.Reference.ToOffset(TimeSpan.FromHours(-7)) };
            Assert.Equal(expected, Rows.Hash(elsewhere));
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
            Environment.SetEnvironmentVariable("TZ", zone);
            TimeZoneInfo.ClearCachedData();
        }
    }

    [Fact]
    public void Rows_read_twice_are_the_same_and_another_seed_gives_others()
    {
        var site = Site.Create(Rows.Options(SiteRecipe.Campus, 50, 2_000));
        Assert.Equal(site.Connections().Select(Text), site.Connections().Select(Text));

        var other = Rows.Options(SiteRecipe.Campus, 50, 2_000, seed: 43);
        Assert.NotEqual(Rows.Hash(site.Options), Rows.Hash(other));
        Assert.NotEqual(Rows.Hash(site.Options), Rows.Hash(site.Options with { ReferenceTime = Rows.Reference.AddSeconds(1) }));
        Assert.Equal(Rows.Hash(site.Options), Rows.Hash(site.Options with { ReferenceTime = Rows.Reference.AddMilliseconds(999) }));

        static string Text(Connection c) => $"{c.Timestamp:O} {c.SrcMac} {c.DstIp} {c.Metadata}";
    }

    [Fact]
    public void Devices_do_not_depend_on_the_number_of_connections()
    {
        var few = Site.Create(Rows.Options(SiteRecipe.SmallOffice, 120, 10));
        var many = Site.Create(Rows.Options(SiteRecipe.SmallOffice, 120, 1_000_000));
        Assert.Equal(few.Devices.Select(d => (d.MacAddress, d.IpAddress)), many.Devices.Select(d => (d.MacAddress, d.IpAddress)));
        Assert.Equal(few.AddressChanges, many.AddressChanges);
    }

    [Fact]
    public void The_clock_gives_the_reference_time_when_the_options_do_not()
    {
        var clock = new FixedClock(Rows.Reference.AddMilliseconds(250));
        var site = Site.Create(new SeedOptions { Devices = 20, Connections = 100 }, clock);
        Assert.Equal(Rows.Reference, site.To);
        Assert.Equal(Rows.Reference.AddDays(-7), site.From);
    }

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
