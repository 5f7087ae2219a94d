using System.Globalization;
using Microsoft.Extensions.Configuration;
using StickyWs.TestKit;

namespace StickyWs.Redis.Tests;

/// <summary>Every option, read from a section and judged.</summary>
public sealed class RedisPinOptionsTests
{
    private const string Server = "redis:6379";

    public static TheoryData<string, string> Good => new()
    {
        { "Configuration", "redis1:6379,redis2:6380,keepAlive=30" },
        { "Configuration", "10.0.0.1" },
        { "Configuration", "[::1]:6379" },
        { "Configuration", "my_redis:6379, abortConnect=true , name=me" },
        { "Configuration", "redis,password=a=b,user=x" },
        { "Configuration", "!/run/redis.sock" },
        { "KeyPrefix", "x" },
        { "KeyPrefix", "{shop}:prod/" },
        { "User", "balancer" },
        { "Password", "any thing, at=all" },
        { "Tls", "True" },
        { "TlsServerName", "redis.example.com" },
        { "Database", "0" },
        { "Database", "15" },
    };

    public static TheoryData<string, string> Bad => new()
    {
        { "Configuration", "redis://redis:6379" },
        { "Configuration", "redis:port" },
        { "Configuration", "redis:70000" },
        { "Configuration", "redis server:6379" },
        { "Configuration", ":6379" },
        { "Configuration", "*:6379" },
        { "Configuration", "0.0.0.0:6379" },
        { "Configuration", "ssl=true" },
        { "Configuration", "," },
        { "Configuration", "redis,abortConect=false" },
        { "Configuration", "redis,ssl=maybe" },
        { "Configuration", "redis,proxy=Everything" },
        { "Configuration", "redis,=x" },
        { "Configuration", "redis1,ssl=true,redis2" },
        { "KeyPrefix", "a b" },
        { "KeyPrefix", "grün:" },
        { "KeyPrefix", "a\nb" },
        { "KeyPrefix", new string('x', 129) },
        { "User", "a b" },
        { "User", "a\0" },
        { "Tls", "yes" },
        { "Tls", "1" },
        { "TlsServerName", "a b" },
        { "TlsServerName", "https://redis" },
        { "TlsCaCertificateFile", "/no/such/file.pem" },
        { "TlsCaCertificateFile", typeof(RedisPinOptionsTests).Assembly.Location },
        { "Database", "-1" },
        { "Database", "two" },
        { "Database", "1.5" },
        { "Database", "99999999999" },
    };

    public static TheoryData<string> Keys => [.. Properties()];

    [Fact]
    public void Tables_HoldEveryOption()
    {
        Assert.Equal(Properties().Where(key => key != "TlsCaCertificateFile"), Good.Select(row => row.Data.Item1).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(Properties().Where(key => key != "Password"), Bad.Select(row => row.Data.Item1).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Good))]
    public void Validate_GoodValue_ReachesItsOptionAndIsValid(string key, string value)
    {
        var options = Read([(key, value), .. Needed(key)]);

        Assert.Equal(value, Convert.ToString(typeof(RedisPinOptions).GetProperty(key)!.GetValue(options), CultureInfo.InvariantCulture));
        Assert.Empty(Errors(options));
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void Validate_BadValue_IsOneErrorThatNamesTheKey(string key, string value)
    {
        var error = Assert.Single(Errors(Read([(key, value), .. Needed(key)])));

        Assert.StartsWith($"StickyWs:Redis:{key} ", error, StringComparison.Ordinal);
        Assert.Contains(": use ", error, StringComparison.Ordinal);
        if (key != "Configuration") Assert.Contains($"'{value}'", error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void Read_ObjectInPlaceOfAValue_IsAnError(string key)
        => Assert.Contains($"StickyWs:Redis:{key} is an object or a list: use a single value.", Errors(Read((key, null), ($"{key}:Inner", "x"))));

    [Fact]
    public void Read_UnknownKey_IsOneErrorThatListsTheKnownOnes()
    {
        var error = Assert.Single(Errors(Read(("Configuration", Server), ("Pasword", "s3cret"))));

        Assert.Equal(
            "StickyWs:Redis:Pasword is not an option: did you mean Password? Use one of Configuration, KeyPrefix, User, Password, Tls, TlsServerName, "
                + "TlsCaCertificateFile, Database, or remove it.",
            error);
    }

    [Fact]
    public void Read_SectionThatIsAText_IsAnErrorThatDoesNotShowIt()
    {
        var section = new ConfigurationBuilder().AddInMemoryCollection([new("StickyWs:Redis", "redis,password=s3cret")]).Build().GetSection("StickyWs:Redis");
        var options = new RedisPinOptions { Configuration = Server };
        new RedisPinOptionsReader(section).Configure(options);

        Assert.Equal(["StickyWs:Redis is a single value: use an object with a Configuration."], Errors(options));
    }

    [Fact]
    public void Read_KeysInAnyCaseAndEmptyValues_AreTheOptionAndTheDefault()
    {
        var options = Read(("configuration", Server), ("KEYPREFIX", ""), ("tls", "TRUE"));

        Assert.True(options.Tls);
        Assert.Equal("stickyws:", options.KeyPrefix);
        Assert.Empty(Errors(options));
    }

    [Fact]
    public void Validate_NothingSet_IsOneErrorWithTheRemedy()
        => Assert.Equal(["StickyWs:Redis:Configuration is not set: use host:port of a Redis server."], Errors(new RedisPinOptions()));

    [Fact]
    public void Validate_ManyErrors_AreAllTold()
        => Assert.Equal(6, Errors(Read(("Configuration", "redis:port"), ("KeyPrefix", "a b"), ("Database", "two"), ("Tls", "yes"), ("User", "a b"),
            ("Colour", "blue"))).Length);

    [Theory]
    [InlineData("redis,password=s3cret,more")]
    [InlineData("redis,password=a,s3cret")]
    [InlineData("redis,password=a,s3cret=b")]
    [InlineData("redis,password=a,s3cret:x")]
    [InlineData("redis,pasword=s3cret")]
    [InlineData("redis://user:s3cret@redis:6379")]
    [InlineData("user:s3cret@redis:6379")]
    [InlineData("redis,sentinelPassword=s3cret,ssl=maybe")]
    [InlineData("password=s3cret")]
    public void Validate_ConfigurationWithAPassword_IsAnErrorThatDoesNotShowIt(string text)
    {
        var error = Assert.Single(Errors(Read(("Configuration", text))));

        Assert.DoesNotContain("s3cret", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Server)]
    [InlineData($"{Server},user=balancer")]
    public void Validate_UserWithoutAPassword_IsOneError(string configuration)
        => Assert.Equal(["StickyWs:Redis:Password is not set: a User needs one."], Errors(Read(("Configuration", configuration), ("User", "balancer"))));

    [Theory]
    [InlineData(Server, 2)]
    [InlineData($"{Server},ssl=false", 2)]
    [InlineData($"{Server},ssl=true", 0)]
    public void Validate_TlsOptionsWithoutTls_AreErrors(string configuration, int errors)
    {
        var file = TestCertificate.WriteAuthorityFile();

        Assert.Equal(errors, Errors(Read(("Configuration", configuration), ("TlsServerName", "redis"), ("TlsCaCertificateFile", file)))
            .Count(error => error.EndsWith("set StickyWs:Redis:Tls to true, or remove it.", StringComparison.Ordinal)));
        File.Delete(file);
    }

    [Fact]
    public void Validate_SectionReadTwice_TellsEachErrorOnce()
    {
        var options = Read(("Configuration", Server), ("Colour", "blue"));
        options.ReadErrors.AddRange([.. options.ReadErrors]);

        Assert.Single(Errors(options));
    }

    private static IEnumerable<string> Properties() => typeof(RedisPinOptions).GetProperties().Select(property => property.Name).Order(StringComparer.Ordinal);

    // What an option is no good without.
    private static IEnumerable<(string, string?)> Needed(string key) =>
    [
        .. key == "Configuration" ? Array.Empty<(string, string?)>() : [("Configuration", Server)],
        .. key == "User" ? [("Password", "x")] : Array.Empty<(string, string?)>(),
        .. key.StartsWith("Tls", StringComparison.Ordinal) && key != "Tls" ? [("Tls", "true")] : Array.Empty<(string, string?)>(),
    ];

    private static RedisPinOptions Read(params IEnumerable<(string Key, string? Value)> keys)
    {
        var values = keys.Select(pair => new KeyValuePair<string, string?>($"StickyWs:Redis:{pair.Key}", pair.Value));
        var options = new RedisPinOptions();
        new RedisPinOptionsReader(new ConfigurationBuilder().AddInMemoryCollection(values).Build().GetSection("StickyWs:Redis")).Configure(options);
        return options;
    }

    private static string[] Errors(RedisPinOptions options) => [.. new RedisPinOptionsValidator("StickyWs:Redis").Validate(null, options).Failures ?? []];
}
