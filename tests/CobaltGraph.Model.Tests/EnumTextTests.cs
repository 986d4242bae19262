namespace CobaltGraph.Model.Tests;

public class EnumTextTests
{
    [Fact]
    public void Every_device_status_survives_its_text()
    {
        var texts = Enum.GetValues<DeviceStatus>().Select(EnumText.ToText).ToArray();
        Assert.Equal(["discovered", "active", "idle", "offline"], texts);
        Assert.Equal(Enum.GetValues<DeviceStatus>(), texts.Select(EnumText.ParseStatus));
    }

    [Fact]
    public void Every_event_type_survives_its_text()
    {
        var texts = Enum.GetValues<DeviceEventType>().Select(EnumText.ToText).ToArray();
        Assert.Equal(["discovered", "active", "idle", "offline", "ip_changed", "threat_detected", "removed"], texts);
        Assert.Equal(Enum.GetValues<DeviceEventType>(), texts.Select(EnumText.ParseEventType));
    }

    [Theory]
    [InlineData("Active")]
    [InlineData("")]
    [InlineData("sleeping\n")]
    public void Unknown_text_is_named_and_explained(string text)
    {
        var status = Assert.Throws<FormatException>(() => EnumText.ParseStatus(text));
        var type = Assert.Throws<FormatException>(() => EnumText.ParseEventType(text));
        Assert.Contains(DisplayText.Quote(text), status.Message);
        Assert.Contains("type of device event", type.Message);
        Assert.DoesNotContain('\n', status.Message);
    }

    [Fact]
    public void Undefined_values_have_no_text()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => EnumText.ToText((DeviceStatus)99));
        Assert.Throws<ArgumentOutOfRangeException>(() => EnumText.ToText((DeviceEventType)(-1)));
    }
}
