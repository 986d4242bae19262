using CobaltGraph.Data;
using CobaltGraph.LocalPostgres;

namespace CobaltGraph.Cli.Tests;

// LocalPostgres knows nothing of Data, so each has the rule; what one writes the other must find.
public class HomeFolderTests
{
    [Fact]
    public void Local_server_and_connection_agree_on_the_users_folder()
    {
        Assert.Equal(CobaltGraphHome.Variable, UserFolders.HomeVariable);
        Assert.Equal(CobaltGraphHome.Folder, UserFolders.Home());
        Assert.Equal(CobaltGraphHome.ConnectionFile, new UserServer(UserFolders.Home()).ConfigurationFile);
    }
}
