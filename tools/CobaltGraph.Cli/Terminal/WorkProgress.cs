using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace CobaltGraph.Cli.Terminal;

/// <summary>How far a long piece of work is.</summary>
/// <param name="Rows">Rows done.</param>
/// <param name="Fraction">0 to 1; null when the end is not known.</param>
internal readonly record struct WorkState(long Rows, double? Fraction);

/// <summary>
/// Shows on stderr how far a long piece of work is: a bar on a terminal, elsewhere a line every ten seconds, so that a
/// log stays readable and short work says nothing.
/// </summary>
internal static class WorkProgress
{
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(10);

    public static Task<T> RunAsync<T>(
        CliHost host, string what, string unit, Func<IProgress<WorkState>, Task<T>> work)
        => host.LiveProgress ? RunLiveAsync(host, what, unit, work) : work(new Lines(host, what, unit));

    /// <summary>The state in words: <c>12% · 1,200,000 rows · 45,000 rows/s · 3:12 min left</c>.</summary>
    public static string Describe(WorkState state, string unit, TimeSpan elapsed)
    {
        var words = new List<string>(4);
        if (state.Fraction is { } fraction) words.Add(fraction.ToString("0%", CultureInfo.InvariantCulture));
        words.Add(string.Create(CultureInfo.InvariantCulture, $"{state.Rows:#,0} {unit}"));
        if (elapsed > TimeSpan.Zero && state.Rows > 0)
            words.Add(string.Create(CultureInfo.InvariantCulture, $"{state.Rows / elapsed.TotalSeconds:#,0} {unit}/s"));
        if (state.Fraction is > 0 and < 1 && elapsed.TotalSeconds >= 1)
            words.Add($"{Cell.Duration(elapsed * ((1 - state.Fraction.Value) / state.Fraction.Value))} left");
        return string.Join(" · ", words);
    }

    private static async Task<T> RunLiveAsync<T>(
        CliHost host, string what, string unit, Func<IProgress<WorkState>, Task<T>> work)
    {
        var console = Consoles.For(host, host.Error);
        var started = host.Clock.GetTimestamp();
        var state = new WorkState(0, null);
        return await console.Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new StateColumn(() => Describe(state, unit, host.Clock.GetElapsedTime(started))))
            .StartAsync(async context =>
            {
                var task = context.AddTask(Markup.Escape(SafeText.Escape(what)), maxValue: 1);
                task.IsIndeterminate = true;
                return await work(new CallerProgress<WorkState>(next =>
                {
                    state = next;
                    task.IsIndeterminate = next.Fraction is null;
                    task.Value = next.Fraction ?? 0;
                }));
            });
    }

    private sealed class Lines(CliHost host, string what, string unit) : IProgress<WorkState>
    {
        private readonly long _started = host.Clock.GetTimestamp();
        private readonly Lock _gate = new();
        private TimeSpan _lastSaid;

        public void Report(WorkState value)
        {
            lock (_gate)
            {
                var elapsed = host.Clock.GetElapsedTime(_started);
                if (elapsed - _lastSaid < LineEvery) return;
                _lastSaid = elapsed;
                host.Notice($"{what}: {Describe(value, unit, elapsed)}");
            }
        }
    }

    private sealed class StateColumn(Func<string> text) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime)
            => new Text(text());
    }
}
