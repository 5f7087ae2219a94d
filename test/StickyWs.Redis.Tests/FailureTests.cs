using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;
using StickyWs.TestKit;
using StickyWs.TestKit.Redis;

namespace StickyWs.Redis.Tests;

/// <summary>What happens when the server is not there, or not yet, or no longer.</summary>
public sealed class FailureTests : StoreTest
{
    [Fact]
    public async Task Store_ServerDownAtStart_ThrowsAndHealsWhenItComes()
    {
        using var server = PinServer.Stopped();
        var (one, other) = (Open(server.Address), Open(server.Address));
        var heard = Hear(other);
        for (var i = 0; i < 20; i++)
        {
            await Assert.ThrowsAsync<RedisConnectionException>(async () => await one.FindAsync(Key, Wait.Token()));
            await Assert.ThrowsAsync<RedisConnectionException>(async () => await one.SaveAsync(Key, "blue", Lifetime, Wait.Token()));
        }

        server.Start();
        await UntilUpAsync(one);
        await one.SaveAsync(Key, "blue", Lifetime, Wait.Token());
        await UntilUpAsync(other);
        await UntilHeardAsync(one, heard);

        Assert.Equal("blue", await other.FindAsync(Key, Wait.Token()));
    }

    [Fact]
    public async Task Store_ServerKilledAndStartedAgain_ThrowsAndHeals()
    {
        using var server = PinServer.Start();
        var (one, other) = (Open(server.Address), Open(server.Address));
        var heard = Hear(other);
        await UntilHeardAsync(one, heard);

        server.Stop();
        await Assert.ThrowsAsync<RedisConnectionException>(async () => await one.FindAsync(Key, Wait.Token()));
        await Assert.ThrowsAsync<RedisConnectionException>(async () => await one.SaveAsync(Key, "blue", Lifetime, Wait.Token()));
        server.Start();
        await UntilUpAsync(one);
        await UntilUpAsync(other);

        Assert.Null(await one.FindAsync(Key, Wait.Token()));
        await one.SaveAsync(Key, "blue", Lifetime, Wait.Token());
        Assert.Equal("blue", await other.FindAsync(Key, Wait.Token()));
        await UntilHeardAsync(one, heard);
    }

    [Fact]
    public async Task Log_ServerLostAndBack_IsOneLineEachHoweverManyAsk()
    {
        using var server = PinServer.Start();
        var store = Open(server.Address);
        await UntilUpAsync(store);

        for (var time = 1; time <= 2; time++)
        {
            server.Stop();
            await Wait.UntilAsync(() => Logged("RedisLost").Count() == time);
            for (var i = 0; i < 50; i++) await Assert.ThrowsAsync<RedisConnectionException>(async () => await store.FindAsync(Key, Wait.Token()));
            server.Start();
            await UntilUpAsync(store);
            await Wait.UntilAsync(() => Logged("RedisRestored").Count() == time);
            Assert.Equal(time, Logged("RedisLost").Count());
        }

        Assert.All(Logged("RedisLost"), line => Assert.Contains($"Redis at {server.Address} cannot be reached (", line.Text, StringComparison.Ordinal));
        Assert.All(Logged("RedisRestored"), line => Assert.Equal($"Redis at {server.Address} is reached again", line.Text));
    }

    [Fact]
    public async Task Log_ServerThatIsThere_IsSilent()
    {
        using var server = PinServer.Start();
        var store = Open(server.Address);
        await UntilUpAsync(store);

        await store.DisposeAsync();

        Assert.Empty(Logged("RedisLost"));
        Assert.Empty(Logged("RedisRestored"));
    }

    [Fact]
    public async Task Find_TokenFiredBefore_IsCancelled()
    {
        using var server = PinServer.Start();
        var store = Open(server.Address);
        await UntilUpAsync(store);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.FindAsync(Key, new CancellationToken(canceled: true)));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await store.SaveAsync(Key, "blue", Lifetime, new CancellationToken(canceled: true)));
    }

    // The first connect to it takes seconds, and nobody who asks or stops waits for it.
    [Fact]
    public async Task Store_ServerThatSaysNothing_IsLeftWhenTheTokenFires()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var store = Open($"127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}");
        using var leave = new CancellationTokenSource();

        var find = store.FindAsync(Key, leave.Token).AsTask();
        var save = store.SaveAsync(Key, "blue", Lifetime, leave.Token).AsTask();
        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => find);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => save);
        var disposed = store.DisposeAsync().AsTask();
        Assert.True(disposed.IsCompleted);
        await disposed;
    }

    [Fact]
    public async Task Store_Disposed_ThrowsWhateverState()
    {
        using var server = PinServer.Start();
        var (unused, used) = (Open(server.Address), Open(server.Address));
        await UntilUpAsync(used);

        foreach (var store in new[] { unused, used })
        {
            await store.DisposeAsync();
            store.Dispose();
            await store.DisposeAsync();
            await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.FindAsync(Key, Wait.Token()));
        }
    }
}
