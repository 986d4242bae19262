using CobaltGraph.Model;
using CobaltGraph.Seeding.Randomness;

namespace CobaltGraph.Seeding.Factories;

/// <summary>A known number of connections in the order of time.</summary>
internal abstract class TrafficSource
{
    /// <summary>The time, in ticks, of a source that has no more.</summary>
    public const long Exhausted = long.MaxValue;

    public abstract long Count { get; }

    /// <summary>Time of the next connection, in ticks, UTC.</summary>
    public long NextAt { get; protected set; } = Exhausted;

    public abstract Connection Take();
}

/// <summary>The everyday traffic of a site: as many connections in each hour as the rhythm of its devices asks for.</summary>
internal sealed class BackgroundTraffic : TrafficSource
{
    private readonly ConnectionFactory _factory;
    private readonly RandomStream _random;
    private readonly long _start;
    private readonly int _hours;
    private readonly long _totalWeight;
    private long _weightSoFar;
    private long _givenSoFar;
    private int _hour = -1;
    private long _inHour;
    private long _index;

    public BackgroundTraffic(Site site, ConnectionFactory factory, long count)
    {
        Count = count;
        _factory = factory;
        _random = RandomStream.For(site.Options.Seed, "times");
        _start = site.From.UtcTicks;
        _hours = site.Options.Days * 24;
        for (var hour = 0; hour < _hours; hour++)
            _totalWeight += Weight(hour);
        Advance();
    }

    public override long Count { get; }

    public override Connection Take()
    {
        var connection = _factory.Create(new DateTime(NextAt, DateTimeKind.Utc));
        Advance();
        return connection;
    }

    private long Weight(int hour) => _factory.Activity(new DateTime(_start + hour * TimeSpan.TicksPerHour, DateTimeKind.Utc));

    private void Advance()
    {
        _index++;
        while (_index >= _inHour)
        {
            if (++_hour >= _hours)
            {
                NextAt = Exhausted;
                return;
            }
            _weightSoFar += Weight(_hour);
            var until = (long)((UInt128)Count * (ulong)_weightSoFar / (ulong)_totalWeight);
            _inHour = until - _givenSoFar;
            _givenSoFar = until;
            _index = 0;
        }

        // One in each of equal parts of the hour: in order without sorting.
        const long Microseconds = 3_600_000_000;
        var offset = (long)(((UInt128)_index * Microseconds + (ulong)_random.Below(Microseconds)) / (ulong)_inHour);
        NextAt = _start + _hour * TimeSpan.TicksPerHour + offset * TimeSpan.TicksPerMicrosecond;
    }
}

/// <summary>Something that goes on for a while: a number of connections at even distances, more or less.</summary>
internal sealed class Episode : TrafficSource
{
    private readonly long _from;
    private readonly long _span;
    private readonly double _jitter;
    private readonly RandomStream _random;
    private readonly Func<long, DateTime, Connection> _make;
    private long _index = -1;

    /// <param name="count">How many connections.</param>
    /// <param name="from">Beginning, UTC.</param>
    /// <param name="to">End, UTC.</param>
    /// <param name="jitter">0 for a clock, 1 for any time until the next one.</param>
    /// <param name="random">For the jitter.</param>
    /// <param name="make">Makes the connection of that number and time.</param>
    public Episode(
        long count, DateTime from, DateTime to, double jitter, RandomStream random, Func<long, DateTime, Connection> make)
    {
        Count = count;
        _from = from.Ticks / TimeSpan.TicksPerMicrosecond;
        _span = to.Ticks / TimeSpan.TicksPerMicrosecond - _from;
        _jitter = jitter;
        _random = random;
        _make = make;
        Advance();
    }

    public override long Count { get; }

    public override Connection Take()
    {
        var connection = _make(_index, new DateTime(NextAt, DateTimeKind.Utc));
        Advance();
        return connection;
    }

    private void Advance()
    {
        if (++_index >= Count)
        {
            NextAt = Exhausted;
            return;
        }
        var offset = (long)(((UInt128)(ulong)_index * (ulong)_span + (ulong)(_random.Unit() * _jitter * _span)) / (ulong)Count);
        NextAt = (_from + offset) * TimeSpan.TicksPerMicrosecond;
    }
}
