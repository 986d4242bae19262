using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// Asks a question again as a whole where the application's strategy retries. Otherwise EF Core asks each statement again
/// and, to be able to, copies all of its rows before it makes the first object of them.
/// </summary>
internal static class WholeCall
{
    /// <summary>Asks with a context of its own.</summary>
    public static async Task<T> AskAsync<T>(
        this IDbContextFactory<CobaltGraphContext> contexts,
        Func<CobaltGraphContext, CancellationToken, Task<T>> ask,
        CancellationToken cancellationToken)
    {
        var context = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using (context.ConfigureAwait(false))
        {
            return await context.Database.CreateExecutionStrategy().ExecuteAsync(
                (context, ask),
                static async (_, state, cancel) =>
                {
                    Strategy.Suspend(state.context);
                    return await state.ask(state.context, cancel).ConfigureAwait(false);
                },
                verifySucceeded: null,
                cancellationToken).ConfigureAwait(false);
        }
    }

    // Inside of one strategy EF Core runs statements without another, and asks that one whether it retries. The change
    // lasts as long as the asynchronous method that makes it.
    private sealed class Strategy(DbContext context) : ExecutionStrategy(context, maxRetryCount: 0, TimeSpan.Zero)
    {
        public static void Suspend(DbContext context)
        {
            if (Current is not null)
                Current = new Strategy(context);
        }

        protected override bool ShouldRetryOn(Exception exception) => false;
    }
}
