using System.Text;
using Microsoft.Extensions.Logging;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Passthrough;

/// <summary>Clients whose ClientHello is slow, split, broken or endless.</summary>
public sealed class HostileClientTests : PassthroughTest
{
    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_ClientHello_may_come_byte_by_byte_in_records_of_one_byte(Door door)
    {
        var backend = StartBare();
        var balancer = Start(door, Passing(AddressOf(backend)));
        var message = HelloForge.Message(HelloForge.Body(HelloForge.ServerName(Name)));
        var client = await ConnectAsync(balancer);

        foreach (var value in HelloForge.Records(message, 1)) await client.WriteAsync(new[] { value });

        // The backend reads the first record alone, whose byte is the message's first.
        Assert.Equal("!", await client.ReadTextAsync(1));
        var server = await backend.NextTunnelAsync();
        Assert.Equal(HelloForge.Records(message, 1)[6..], await server.ReadExactlyAsync((message.Length * 6) - 6));
        client.Reset();
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_ClientHello_that_does_not_end_is_closed_at_the_deadline(Door door)
    {
        var backend = StartBare();
        var balancer = Verbose(Start(door, Passing(AddressOf(backend)).With("HeadDeadline", "00:00:00.3")));
        var hello = HelloForge.Hello(Name);
        foreach (var length in new[] { 1, 4, 5, hello.Length - 1 })
        {
            var client = await ConnectAsync(balancer);
            await client.WriteAsync(hello.AsMemory(0, length));
            await client.EndsInOrderAsync(); // Or not, since there is something unread; but without a byte.
        }

        Assert.Contains("(TimedOut)", Logged(balancer, "HeadTimedOut"), StringComparison.Ordinal);
        Assert.Equal(0, backend.Connections);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_broken_ClientHello_is_answered_by_its_alert(Door door)
    {
        var backend = StartBare();
        var balancer = Verbose(Start(door, Passing(AddressOf(backend))));

        Assert.Equal(Alert(10), await AnswerAsync(balancer, Encoding.Latin1.GetBytes("\x16\x03\x01\x00\x05hello")));
        Assert.Equal(Alert(22), await AnswerAsync(balancer, [22, 3, 1, 0xFF, 0xFF]));
        Assert.Equal(Alert(50), await AnswerAsync(balancer, HelloForge.Records(HelloForge.Message(HelloForge.Body((0, []))))));
        Assert.Equal(Alert(47), await AnswerAsync(balancer, HelloForge.Hello(Name, (51, []))));
        Assert.Equal(Alert(112), await AnswerAsync(balancer, HelloForge.Hello(Name + "\0")));
        Assert.Contains("its server name cannot be one", Logged(balancer, "ClientHelloRefused"), StringComparison.Ordinal);
        Assert.Equal(0, backend.Connections);
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Level >= LogLevel.Warning);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task An_endless_ClientHello_is_cut_off(Door door)
    {
        var backend = StartBare();
        var balancer = Start(door, Passing(AddressOf(backend)));

        Assert.Equal(Alert(47), await AnswerAsync(balancer, [22, 3, 1, 0, 4, 1, 0xFF, 0xFF, 0xFF]));
        Assert.Equal(Alert(47), await AnswerAsync(balancer, HelloForge.Records(HelloForge.Message(new byte[8000]), 1)[..(33 * 1024)]));
    }

    [Theory]
    [MemberData(nameof(HttpsDoors))]
    public async Task What_only_begins_like_TLS_is_left_to_who_ends_it(Door door)
    {
        var balancer = Start(door, Passing("tcp://127.0.0.1:1"));
        var client = await ConnectAsync(balancer);

        await client.WriteAsync("\x16garbage of all kinds, and more of it than a record's header has");
        await client.WaitForEndAsync();

        Assert.Equal("CN=localhost", await SubjectAsync(balancer, "localhost"));
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_client_that_goes_within_its_ClientHello_leaves_no_error_behind(Door door)
    {
        var backend = StartBare();
        var balancer = Start(door, Passing(AddressOf(backend)));
        var hello = HelloForge.Hello(Name);
        foreach (var length in new[] { 1, 5, hello.Length - 1 })
        {
            for (var i = 0; i < 10; i++)
            {
                await using var reset = await ConnectAsync(balancer);
                await reset.WriteAsync(hello.AsMemory(0, length));
                reset.Reset();
                await using var finished = await ConnectAsync(balancer);
                await finished.WriteAsync(hello.AsMemory(0, length));
                await finished.FinishAsync();
                await finished.WaitForEndAsync();
            }
        }

        Assert.DoesNotContain(balancer.Log.Lines, line => line.Level >= LogLevel.Warning);
    }

    private static string Alert(byte description) => $"\x15\x03\x03\x00\x02\x02{(char)description}";

    // It reads the alert although it has sent more than was looked at.
    private async Task<string> AnswerAsync(Balancer balancer, byte[] bytes)
    {
        var client = await ConnectAsync(balancer);
        await client.WriteAsync(bytes);
        await client.FinishAsync();
        return await client.ReadTextToEndAsync();
    }
}
