using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>
/// Notes every statement that goes through a data source and its context: those of EF Core with their parameters, and the
/// others, such as those of batches, from the driver's log.
/// </summary>
internal sealed class StatementLog : DbCommandInterceptor, ILoggerFactory, ILogger
{
    private readonly List<Statement> _statements = [];
    private int _notedBefore;

    /// <summary>A data source whose statements this log notes.</summary>
    public NpgsqlDataSource CreateDataSource(string connectionString)
        => new NpgsqlDataSourceBuilder(connectionString).UseLoggerFactory(this).EnableParameterLogging().Build();

    /// <summary>The statements since the last call.</summary>
    public IReadOnlyList<Statement> Take()
    {
        lock (_statements)
        {
            var statements = _statements.ToArray();
            _statements.Clear();
            return statements;
        }
    }

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        Note((NpgsqlCommand)command);
        return base.ReaderExecutingAsync(command, eventData, result, cancellationToken);
    }

    public override ValueTask<InterceptionResult<object>> ScalarExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<object> result, CancellationToken cancellationToken = default)
    {
        Note((NpgsqlCommand)command);
        return base.ScalarExecutingAsync(command, eventData, result, cancellationToken);
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Debug;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        // What the driver asks for itself, such as the server's types, has another name.
        if (eventId.Name is not ("ExecutingCommand" or "ExecutingCommandWithParameters" or "ExecutingBatch" or "ExecutingBatchWithParameters")
            || state is not IReadOnlyList<KeyValuePair<string, object?>> entries)
        {
            return;
        }

        var of = entries.ToDictionary(entry => entry.Key, entry => entry.Value);
        lock (_statements)
        {
            switch (of.GetValueOrDefault("BatchCommands"))
            {
                case IEnumerable<(string CommandText, IEnumerable<object> Parameters)> commands:
                    _statements.AddRange(commands.Select(command => Of(command.CommandText, command.Parameters)));
                    break;
                case IEnumerable<string> commands:
                    _statements.AddRange(commands.Select(command => Of(command, [])));
                    break;
                case null when _notedBefore > 0:
                    _notedBefore--;
                    break;
                default:
                    _statements.Add(Of((string)of["CommandText"]!, of.GetValueOrDefault("Parameters") as IEnumerable<object> ?? []));
                    break;
            }
        }
    }

    public void Dispose()
    {
    }

    private void Note(NpgsqlCommand command)
    {
        lock (_statements)
        {
            _statements.Add(new Statement(command.CommandText, [.. command.Parameters.Select(parameter => parameter.Clone())]));
            _notedBefore++;
        }
    }

    // The server finds out what a text is, as jsonb or varchar.
    private static Statement Of(string sql, IEnumerable<object> values) => new(
        sql,
        [
            .. values.Select(value => value is string
                ? new NpgsqlParameter { Value = value, NpgsqlDbType = NpgsqlDbType.Unknown }
                : new NpgsqlParameter { Value = value }),
        ]);
}
