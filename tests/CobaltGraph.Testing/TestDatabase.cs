using CobaltGraph.Data;
using Npgsql;
using Xunit;

namespace CobaltGraph.Testing;

/// <summary>A database of one test or one test class; dropped when disposed, whoever is still connected.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly NpgsqlDataSource _admin;
    private readonly Version _version;
    private NpgsqlDataSource? _dataSource;

    internal TestDatabase(NpgsqlDataSource admin, string serverConnectionString, string name, Version version)
    {
        _admin = admin;
        _version = version;
        Name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(serverConnectionString)
        {
            Database = name,
            MaxPoolSize = 30,
            IncludeErrorDetail = true,
            ApplicationName = "cobaltgraph-tests",
        }.ConnectionString;
    }

    /// <summary>The name of the database.</summary>
    public string Name { get; }

    /// <summary>Connects as a superuser.</summary>
    public string ConnectionString { get; }

    /// <summary>Pooled connections to this database.</summary>
    public NpgsqlDataSource DataSource => _dataSource ??= NpgsqlDataSource.Create(ConnectionString);

    /// <summary>A context configured as the product configures it.</summary>
    public CobaltGraphContext NewContext() => Schema.NewContext(DataSource);

    /// <summary>The connection string with other settings, for example another user or search path.</summary>
    public string ConnectionStringWith(Action<NpgsqlConnectionStringBuilder> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        var builder = new NpgsqlConnectionStringBuilder(ConnectionString);
        change(builder);
        return builder.ConnectionString;
    }

    /// <summary>Runs statements; gives the number of rows affected.</summary>
    public async Task<int> ExecuteAsync(string sql)
    {
        await using var command = DataSource.CreateCommand(sql);
        return await command.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>The first column of the first row; NULL and no row give the default.</summary>
    public async Task<T?> ScalarAsync<T>(string sql)
    {
        await using var command = DataSource.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        return await reader.ReadAsync(Cancellation) && !await reader.IsDBNullAsync(0, Cancellation)
            ? await reader.GetFieldValueAsync<T>(0, Cancellation)
            : default;
    }

    /// <summary>All rows; NULL is null.</summary>
    public async Task<List<object?[]>> QueryAsync(string sql)
    {
        await using var command = DataSource.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var rows = new List<object?[]>();
        while (await reader.ReadAsync(Cancellation))
        {
            var row = new object?[reader.FieldCount];
            for (var column = 0; column < row.Length; column++)
                row[column] = await reader.IsDBNullAsync(column, Cancellation) ? null : reader.GetValue(column);
            rows.Add(row);
        }

        return rows;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_dataSource is not null)
            await _dataSource.DisposeAsync();
        if (_version.Major >= 13)
        {
            await using var drop = _admin.CreateCommand($"DROP DATABASE IF EXISTS {Name} WITH (FORCE)");
            await drop.ExecuteNonQueryAsync();
            return;
        }

        await using var close = _admin.CreateCommand(
            $"ALTER DATABASE {Name} ALLOW_CONNECTIONS false; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{Name}'");
        await close.ExecuteNonQueryAsync();
        await using var dropped = _admin.CreateCommand($"DROP DATABASE IF EXISTS {Name}");
        await dropped.ExecuteNonQueryAsync();
    }
}
