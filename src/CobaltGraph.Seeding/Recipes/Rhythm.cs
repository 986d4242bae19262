namespace CobaltGraph.Seeding.Recipes;

/// <summary>How busy a kind of device is, hour by hour.</summary>
internal sealed class Rhythm
{
    private readonly int[] _weekday;
    private readonly int[] _weekend;

    private Rhythm(int[] weekday, int weekendPercent)
    {
        _weekday = weekday;
        _weekend = [.. weekday.Select(weight => Math.Max(1, weight * weekendPercent / 100))];
    }

    /// <summary>People who come at eight and leave at six.</summary>
    public static Rhythm Office { get; } = new(
        [1, 1, 1, 1, 1, 2, 8, 30, 70, 95, 100, 95, 65, 85, 100, 95, 85, 60, 30, 14, 8, 5, 3, 2], weekendPercent: 8);

    /// <summary>Students, who live late and on Sundays too.</summary>
    public static Rhythm Campus { get; } = new(
        [18, 9, 5, 3, 2, 3, 8, 25, 60, 85, 92, 90, 80, 88, 90, 85, 80, 72, 68, 74, 78, 72, 52, 32], weekendPercent: 55);

    /// <summary>Two shifts, six to ten.</summary>
    public static Rhythm Shift { get; } = new(
        [14, 12, 12, 12, 14, 40, 92, 100, 100, 98, 96, 98, 92, 94, 100, 98, 96, 95, 94, 92, 88, 70, 25, 16], weekendPercent: 35);

    /// <summary>Machines that never sleep.</summary>
    public static Rhythm Always { get; } = new(
        [92, 92, 92, 92, 92, 94, 95, 96, 98, 100, 100, 100, 98, 98, 100, 100, 98, 97, 96, 95, 94, 93, 92, 92], weekendPercent: 95);

    /// <summary>Servers: busy with people by day and with backups by night.</summary>
    public static Rhythm Server { get; } = new(
        [45, 75, 80, 60, 40, 38, 45, 60, 85, 98, 100, 98, 88, 94, 98, 95, 88, 72, 56, 48, 44, 42, 42, 42], weekendPercent: 55);

    /// <summary>Screens: meetings by day, films in the evening.</summary>
    public static Rhythm Screen { get; } = new(
        [6, 3, 2, 2, 2, 2, 4, 10, 40, 60, 62, 60, 50, 60, 64, 60, 45, 40, 60, 85, 100, 90, 55, 20], weekendPercent: 70);

    public int Weight(bool weekend, int hour) => (weekend ? _weekend : _weekday)[hour];
}
