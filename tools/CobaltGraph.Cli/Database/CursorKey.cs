using System.Security.Cryptography;

namespace CobaltGraph.Cli.Database;

/// <summary>
/// The secret that signs the cursors of this user's command lines. It is kept in a file, for a cursor of one run to be good
/// in the next.
/// </summary>
internal static class CursorKey
{
    public const string FileName = "cursor.key";

    private const int Length = 32;

    /// <summary>The key in a folder, made there by the first that needs one.</summary>
    /// <exception cref="IOException">There is no key, and none can be written; or what is there is none.</exception>
    /// <exception cref="UnauthorizedAccessException">The key may not be read or written.</exception>
    public static byte[] ReadOrCreate(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) Create(folder, path);
        var key = File.ReadAllBytes(path);
        return key.Length == Length
            ? key
            : throw new IOException($"{path} is not a key of {Length} octets; delete it, and the next run makes one.");
    }

    private static void Create(string folder, string path)
    {
        Directory.CreateDirectory(folder);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

        // Beside it first: of two runs that begin at once one makes the key, and neither reads half of it.
        var next = $"{path}.{Guid.NewGuid():N}";
        try
        {
            using (var stream = new FileStream(next, options)) stream.Write(RandomNumberGenerator.GetBytes(Length));
            File.Move(next, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
        }
        finally
        {
            File.Delete(next);
        }
    }
}
