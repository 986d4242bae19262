namespace CobaltGraph.LocalPostgres.Processes;

/// <summary>The operating system account a server runs under. PostgreSQL refuses to run as root.</summary>
/// <param name="Name">Null: the account that runs this program.</param>
internal sealed record ServerAccount(string? Name)
{
    /// <summary>Where root keeps what its server account must reach: root's own home is closed to it.</summary>
    public const string SharedFolder = "/var/lib/cobaltgraph";

    public static ServerAccount Self { get; } = new((string?)null);

    public static bool IsRoot => !OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess;

    public string Description => Name ?? Environment.UserName;

    /// <summary>
    /// The account for a new server: our own, or, for root, the first that exists of <paramref name="candidates"/>.
    /// </summary>
    public static async Task<ServerAccount> ChooseAsync(CancellationToken cancellationToken, params string[] candidates)
    {
        if (!IsRoot)
            return Self;
        foreach (var name in candidates)
        {
            var result = await new Command("id", "-u", name).RunAsync(cancellationToken);
            if (result.ExitCode == 0 && result.Output != "0")
                return new ServerAccount(name);
        }

        throw new LocalPostgresException(
            $"PostgreSQL does not run as root, and there is no account {string.Join(" or ", candidates)} to run it under. "
            + "Create one, or run as an ordinary user.");
    }

    /// <summary>Whether this account can enter a folder, or the nearest of its parents that exists.</summary>
    public async Task<bool> CanReachAsync(string folder, CancellationToken cancellationToken)
    {
        if (Name is null)
            return true;
        var nearest = Path.GetFullPath(folder);
        while (!Directory.Exists(nearest))
            nearest = Path.GetDirectoryName(nearest)!;
        var result = await (Command.Shell("cd -- \"$1\" && cd -- \"$(pwd -P)\"", nearest) with { Account = this }).RunAsync(cancellationToken);
        return result.ExitCode == 0;
    }

    /// <summary>Makes a folder, and those above it, that belongs to this account and is closed to all others.</summary>
    public async Task CreatePrivateFolderAsync(string folder, CancellationToken cancellationToken)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder);
                return;
            }

            if (Path.GetDirectoryName(folder) is { } parent && !Directory.Exists(parent))
                CreateOpenFolder(parent);
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new LocalPostgresException($"The folder {folder} cannot be made: {failure.Message}", failure);
        }

        if (Name is not null)
        {
            var result = await new Command("chown", $"{Name}:", folder).RunAsync(cancellationToken);
            if (result.ExitCode != 0)
                throw new LocalPostgresException($"The folder {folder} cannot be given to user {Name}:{Environment.NewLine}{result.Tail()}");
        }
    }

    /// <summary>Writes a file as this account: root does not write into a folder that another account controls.</summary>
    public async Task WriteFileAsync(string path, string content, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
        {
            await File.WriteAllTextAsync(path, content, cancellationToken);
            return;
        }

        var result = await (Command.Shell("umask 077 && cat >\"$1\"", path) with { Account = this, Input = content }).RunAsync(cancellationToken);
        if (result.ExitCode != 0)
            throw new LocalPostgresException($"The file {path} cannot be written:{Environment.NewLine}{result.Tail()}");
    }

    /// <summary>The owner of a file or folder; null when it cannot be told.</summary>
    public static async Task<string?> OwnerAsync(string path, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
            return null;
        var result = await new Command("ls", "-ld", path).RunAsync(cancellationToken);
        var fields = result.Output.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return result.ExitCode == 0 && fields.Length > 3 ? fields[2] : null;
    }

    /// <summary>Makes a folder, and those above it, that everyone may enter and only its maker may write.</summary>
    public static void CreateOpenFolder(string folder)
    {
        if (Directory.Exists(folder))
            return;
        if (Path.GetDirectoryName(folder) is { } parent)
            CreateOpenFolder(parent);
        Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows() && IsRoot)
        {
            // Said after the fact because a mask such as 077 would take it away again.
            File.SetUnixFileMode(
                folder,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }
    }
}
