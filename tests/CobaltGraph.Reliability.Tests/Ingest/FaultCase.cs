using CobaltGraph.Reliability.Proxy;

namespace CobaltGraph.Reliability.Tests.Ingest;

/// <summary>A message of a clean batch.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Direction">Which way it goes.</param>
/// <param name="Type">Its type.</param>
/// <param name="Nth">Which of that direction and type, from the opening of the connection.</param>
/// <param name="Text">What it says, to be sure that the fault met this one.</param>
internal sealed record FaultPoint(string Name, Direction Direction, char Type, int Nth, string? Text);

/// <summary>One way of breaking one message of a batch.</summary>
/// <param name="Number">From 0.</param>
/// <param name="Point">Where.</param>
/// <param name="Mode">What.</param>
/// <param name="Moment">On which side.</param>
/// <param name="Patient">Whether the service tries again by itself, or gives up and the caller comes again.</param>
internal sealed record FaultCase(int Number, FaultPoint Point, FaultMode Mode, FaultMoment Moment, bool Patient)
{
    public string Name => $"{Number} {Mode} {Moment} {Point.Name}, {(Patient ? "patient" : "one attempt")}";

    /// <summary>The batch that meets the fault.</summary>
    public string Batch => $"case-{Number}";

    public FaultRule Rule => new()
    {
        Direction = Point.Direction, Type = Point.Type, Nth = Point.Nth, Moment = Moment, Mode = Mode,
    };

    /// <summary>Every way of breaking every message.</summary>
    public static IEnumerable<FaultCase> Of(IEnumerable<FaultPoint> points)
    {
        var number = 0;
        foreach (var point in points)
        {
            foreach (var mode in Enum.GetValues<FaultMode>())
            {
                // Nothing answers a message to the client, and nothing but the session itself the startup.
                if (mode == FaultMode.DropReply && (point.Direction == Direction.ToClient || point.Type == ProxyMessage.Startup))
                    continue;
                foreach (var moment in mode is FaultMode.DropReply or FaultMode.Delay ? [FaultMoment.Before] : Enum.GetValues<FaultMoment>())
                {
                    foreach (var patient in (bool[])[true, false])
                        yield return new FaultCase(number++, point, mode, moment, patient);
                }
            }
        }
    }
}
