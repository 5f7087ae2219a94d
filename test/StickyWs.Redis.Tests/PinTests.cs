using StackExchange.Redis;
using StickyWs.TestKit;

namespace StickyWs.Redis.Tests;

/// <summary>What is saved is found, as long as it should be, and by nobody whom it does not concern.</summary>
public sealed class PinTests : StoreTest
{
    public static TheoryData<string> All => Servers.All;

    [Theory]
    [MemberData(nameof(All))]
    public async Task Find_NothingSaved_IsNull(string server)
        => Assert.Null(await Open(Servers.AddressOf(server)).FindAsync(Key, Wait.Token()));

    [Theory]
    [MemberData(nameof(All))]
    public async Task Find_SavedByAnotherInstance_IsItsBackend(string server)
    {
        var (one, other) = (Open(Servers.AddressOf(server)), Open(Servers.AddressOf(server)));

        await one.SaveAsync(Key, "blue", Lifetime, Wait.Token());

        Assert.Equal("blue", await other.FindAsync(Key, Wait.Token()));
        Assert.Null(await other.FindAsync(NewKey(), Wait.Token()));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Save_Again_ReplacesTheBackendAndRenewsTheLifetime(string server)
    {
        var store = Open(Servers.AddressOf(server));
        var redis = (await StrangerAsync(Servers.AddressOf(server))).GetDatabase();

        await store.SaveAsync(Key, "blue", TimeSpan.FromMinutes(1), Wait.Token());
        await store.SaveAsync(Key, "green", TimeSpan.FromDays(2), Wait.Token());

        Assert.Equal("green", await store.FindAsync(Key, Wait.Token()));
        Assert.InRange((await redis.KeyTimeToLiveAsync($"{Prefix}pin:{Key}"))!.Value, TimeSpan.FromDays(1), TimeSpan.FromDays(2));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Save_ShortLifetime_IsGoneBehindIt(string server)
    {
        var store = Open(Servers.AddressOf(server));

        await store.SaveAsync(Key, "blue", TimeSpan.FromMilliseconds(20.5), Wait.Token());

        await Wait.UntilAsync(async () => await store.FindAsync(Key, Wait.Token()) is null);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Find_UnderAnotherPrefix_IsNull(string server)
    {
        var (one, other) = (Open(Servers.AddressOf(server)), Open(Servers.AddressOf(server), options => options.KeyPrefix += "x:"));
        var (heard, heardOfOne) = (Hear(other), Hear(Open(Servers.AddressOf(server))));

        await one.SaveAsync(Key, "blue", Lifetime, Wait.Token());
        await UntilHeardAsync(one, heardOfOne);
        await UntilHeardAsync(Open(Servers.AddressOf(server), options => options.KeyPrefix += "x:"), heard);

        Assert.Null(await other.FindAsync(Key, Wait.Token()));
        Assert.All(heard, pin => Assert.DoesNotContain(pin, heardOfOne));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Find_InAnotherDatabase_IsNull(string server)
    {
        var (zero, three, byText) = (Open(Servers.AddressOf(server)), Open(Servers.AddressOf(server), options => options.Database = 3),
            Open($"{Servers.AddressOf(server)},defaultDatabase=3"));

        await three.SaveAsync(Key, "blue", Lifetime, Wait.Token());

        Assert.Null(await zero.FindAsync(Key, Wait.Token()));
        Assert.Equal("blue", await byText.FindAsync(Key, Wait.Token()));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Save_NamesOfAllKinds_AreFoundAndHeardAsTheyAre(string server)
    {
        string[] names = ["a", "blue 1", " ", "grün-七", "a:b c/d", new string('x', PinMessage.LongestBackend)];
        var (one, other) = (Open(Servers.AddressOf(server)), Open(Servers.AddressOf(server)));
        var heard = Hear(other);
        await UntilHeardAsync(one, heard);

        foreach (var name in names)
        {
            await one.SaveAsync(Key, name, Lifetime, Wait.Token());
            Assert.Equal(name, await other.FindAsync(Key, Wait.Token()));
        }

        await Wait.UntilAsync(() => heard.Count(pin => pin.Key == Key) == names.Length);
        Assert.Equal(names, heard.Where(pin => pin.Key == Key).Select(pin => pin.Backend));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Find_ValueThatIsNoName_IsNull(string server)
    {
        var store = Open(Servers.AddressOf(server));
        var redis = (await StrangerAsync(Servers.AddressOf(server))).GetDatabase();
        RedisValue[] values = ["", "a\nb", "a\0", new byte[] { 0xC3, 0x28 }, new string('x', PinMessage.LongestBackend + 1), new string('x', 1_000_000)];

        foreach (var value in values)
        {
            await redis.StringSetAsync($"{Prefix}pin:{Key}", value, Lifetime);
            Assert.Null(await store.FindAsync(Key, Wait.Token()));
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Find_KeyOfAnotherType_IsNullUntilItIsSaved(string server)
    {
        var store = Open(Servers.AddressOf(server));
        var redis = (await StrangerAsync(Servers.AddressOf(server))).GetDatabase();
        await redis.ListLeftPushAsync($"{Prefix}pin:{Key}", "blue");

        Assert.Null(await store.FindAsync(Key, Wait.Token()));
        await store.SaveAsync(Key, "green", Lifetime, Wait.Token());

        Assert.Equal("green", await store.FindAsync(Key, Wait.Token()));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Find_FromManyThreadsAtOnce_FindsEachItsOwn(string server)
    {
        var store = Open(Servers.AddressOf(server));
        var keys = Enumerable.Range(0, 200).Select(i => (Key: NewKey(), Backend: $"backend-{i}")).ToArray();

        await Parallel.ForEachAsync(keys, async (pin, _) => await store.SaveAsync(pin.Key, pin.Backend, Lifetime, Wait.Token()));
        await Parallel.ForEachAsync(keys, async (pin, _) => Assert.Equal(pin.Backend, await store.FindAsync(pin.Key, Wait.Token())));
    }
}
