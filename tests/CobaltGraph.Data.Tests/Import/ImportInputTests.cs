using CobaltGraph.Data.Import;

namespace CobaltGraph.Data.Tests.Import;

public sealed class ImportInputTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Folder_gives_its_files_and_those_of_its_folders_in_the_order_of_their_names()
    {
        foreach (var folder in (string[])["logs/2026-01-02", "logs/2026-01-01", "logs/.git", "logs/empty"])
            Directory.CreateDirectory(Path.Combine(_folder.Path, folder));
        foreach (var file in (string[])["logs/2026-01-02/b.log", "logs/2026-01-02/a.log", "logs/2026-01-01/z.log", "logs/conn.log", "logs/.hidden", "logs/.git/x"])
            _folder.Write(file, "");

        var files = ImportInput.FilesOf("logs", _folder.Path);

        Assert.Equal(["logs/2026-01-01/z.log", "logs/2026-01-02/a.log", "logs/2026-01-02/b.log", "logs/conn.log"], files.Select(f => f.Name));
        Assert.Equal(Path.Combine(_folder.Path, "logs", "conn.log"), files[3].FullPath);
        Assert.Equal(["logs/.hidden"], ImportInput.FilesOf("logs/.hidden", _folder.Path).Select(f => f.Name));
        Assert.Empty(ImportInput.FilesOf("logs/empty", _folder.Path));
    }

    [Fact]
    public void Link_to_a_folder_is_followed_and_one_that_leads_back_is_not()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a right there.");
        Directory.CreateDirectory(Path.Combine(_folder.Path, "spool"));
        Directory.CreateDirectory(Path.Combine(_folder.Path, "logs"));
        _folder.Write("spool/a.log", "");
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "logs", "current"), Path.Combine(_folder.Path, "spool"));
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "spool", "back"), Path.Combine(_folder.Path, "logs"));

        Assert.Equal(["logs/current/a.log"], ImportInput.FilesOf("logs", _folder.Path).Select(f => f.Name));
    }

    [Fact]
    public void What_is_not_there_is_an_input_that_cannot_be_opened()
    {
        Assert.Throws<FileNotFoundException>(() => Assert.Single(ImportInput.FilesOf("missing", _folder.Path)).Open());
        Assert.ThrowsAny<ArgumentException>(() => Assert.Single(ImportInput.FilesOf("", _folder.Path)).Open());
        Assert.ThrowsAny<ArgumentException>(() => Assert.Single(ImportInput.FilesOf("a\0b", _folder.Path)).Open());
    }

    [Fact]
    public void Folder_that_may_not_be_read_is_an_input_that_cannot_be_opened()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("This account may read every folder.");
            return;
        }

        var closed = Directory.CreateDirectory(Path.Combine(_folder.Path, "logs", "closed"));
        _folder.Write("logs/a.log", "");
        closed.UnixFileMode = UnixFileMode.None;
        try
        {
            var files = ImportInput.FilesOf("logs", _folder.Path);
            Assert.Equal(["logs/a.log", "logs/closed"], files.Select(f => f.Name));
            Assert.Throws<UnauthorizedAccessException>(() => files[1].Open());
        }
        finally
        {
            closed.UnixFileMode = UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite;
        }
    }
}
