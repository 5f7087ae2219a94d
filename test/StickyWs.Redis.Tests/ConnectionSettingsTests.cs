namespace StickyWs.Redis.Tests;

public sealed class ConnectionSettingsTests
{
    [Fact]
    public void Of_ServerAlone_FailsFastAndStartsWithoutIt()
    {
        var settings = ConnectionSettings.Of(new RedisPinOptions { Configuration = "redis:6379" });

        Assert.Equal("StickyWs", settings.ClientName);
        Assert.False(settings.AbortOnConnectFail);
        Assert.False(settings.BacklogPolicy.QueueWhileDisconnected);
        Assert.Equal((2000, 1), (settings.ConnectTimeout, settings.ConnectRetry));
        Assert.Null(settings.Password);
        Assert.Single(settings.EndPoints);
    }

    [Fact]
    public void Of_TextThatSaysOtherwise_IsFollowed_ButNeverNeedsTheServer()
    {
        var settings = ConnectionSettings.Of(new RedisPinOptions { Configuration = "redis:6379,name=me,connectTimeout=7000,connectRetry=2,abortConnect=true" });

        Assert.Equal(("me", 7000, 2), (settings.ClientName, settings.ConnectTimeout, settings.ConnectRetry));
        Assert.False(settings.AbortOnConnectFail);
    }

    [Fact]
    public void Of_OptionsAndText_OptionsGoFirst()
    {
        var options = new RedisPinOptions
        {
            Configuration = "redis,user=a,password=b,defaultDatabase=1,ssl=false,sslHost=c",
            User = "u",
            Password = "p,=",
            Database = 4,
            Tls = true,
            TlsServerName = "n"
        };

        var settings = ConnectionSettings.Of(options);

        Assert.Equal(("u", "p,=", 4, true, "n"), (settings.User, settings.Password, settings.DefaultDatabase, settings.Ssl, settings.SslHost));
    }

    [Fact]
    public void Of_TextAlone_IsFollowed()
    {
        var settings = ConnectionSettings.Of(new RedisPinOptions { Configuration = "redis,user=a,password=b,defaultDatabase=1,ssl=true,sslHost=c" });

        Assert.Equal(("a", "b", 1, true, "c"), (settings.User, settings.Password, settings.DefaultDatabase, settings.Ssl, settings.SslHost));
    }
}
