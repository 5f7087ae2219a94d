using StackExchange.Redis;
using StickyWs.TestKit;
using StickyWs.TestKit.Redis;

namespace StickyWs.Redis.Tests;

/// <summary>Passwords, users and TLS.</summary>
public sealed class SecurityTests : StoreTest, IDisposable
{
    private const string Secret = "s3cret, with=a comma";
    private readonly string _authority = TestCertificate.WriteAuthorityFile();

    [Fact]
    public async Task Password_TheRightOne_OpensTheStore()
    {
        using var server = PinServer.Start(password: Secret);
        var store = Open(server.Address, options => options.Password = Secret);

        await store.SaveAsync(Key, "blue", Lifetime, Wait.Token());

        Assert.Equal("blue", await store.FindAsync(Key, Wait.Token()));
    }

    [Fact]
    public async Task Password_InTheConfiguration_OpensTheStoreAndGivesWayToTheOption()
    {
        using var server = PinServer.Start(password: "plain");
        var (byText, byOption) = (Open($"{server.Address},password=plain"), Open($"{server.Address},password=old", options => options.Password = "plain"));

        await byText.SaveAsync(Key, "blue", Lifetime, Wait.Token());

        Assert.Equal("blue", await byOption.FindAsync(Key, Wait.Token()));
    }

    [Fact]
    public async Task User_TheRightOne_OpensTheStore()
    {
        using var server = PinServer.Start(password: Secret);
        var store = Open(server.Address, options => (options.User, options.Password) = ("default", Secret));

        Assert.Null(await store.FindAsync(Key, Wait.Token()));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(null, "wrong-pa55")]
    [InlineData("nobody", Secret)]
    public async Task Password_MissingOrWrong_ThrowsAndIsLoggedWithoutIt(string? user, string? password)
    {
        using var server = PinServer.Start(password: Secret);
        var store = Open(server.Address, options => (options.User, options.Password) = (user, password));

        var thrown = await Assert.ThrowsAsync<RedisConnectionException>(async () => await store.FindAsync(Key, Wait.Token()));
        await Wait.UntilAsync(() => Logged("RedisLost").Any());

        var line = Assert.Single(Logged("RedisLost")).Text;
        Assert.Contains("Auth", line, StringComparison.OrdinalIgnoreCase);
        Assert.All(new[] { line, thrown.ToString() }, text => Assert.DoesNotContain(password ?? Secret, text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tls_AuthorityOfTheFile_IsTrusted()
    {
        using var server = PinServer.Start(certificate: TestCertificate.Server);
        var store = Open(server.Address, options => (options.Tls, options.TlsCaCertificateFile) = (true, _authority));
        var named = Open($"{server.Address},ssl=true", options => (options.TlsServerName, options.TlsCaCertificateFile) = ("localhost", _authority));

        await store.SaveAsync(Key, "blue", Lifetime, Wait.Token());

        Assert.Equal("blue", await named.FindAsync(Key, Wait.Token()));
    }

    [Fact]
    public async Task Tls_AuthorityThatNobodyTrusts_Throws()
    {
        using var server = PinServer.Start(certificate: TestCertificate.Server);

        await RefusesAsync(Open(server.Address, options => options.Tls = true));
    }

    [Fact]
    public async Task Tls_OfAnotherName_Throws()
    {
        using var server = PinServer.Start(certificate: TestCertificate.Server);

        await RefusesAsync(Open(server.Address,
            options => (options.Tls, options.TlsServerName, options.TlsCaCertificateFile) = (true, "other.example", _authority)));
    }

    public void Dispose() => File.Delete(_authority);

    private async Task RefusesAsync(RedisPinStore store)
    {
        await Assert.ThrowsAsync<RedisConnectionException>(async () => await store.FindAsync(Key, Wait.Token()));
        await Wait.UntilAsync(() => Logged("RedisLost").Any());
    }
}
