using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>
/// Clients that leave at any moment and servers that break off, close and answer early, with a nonce in each request that its answer carries.
/// </summary>
internal static class MoodyExchange
{
    /// <summary>Asks one after the other, and expects that each answer is that to its own request.</summary>
    /// <param name="address">The balancer's.</param>
    /// <param name="number">The client's: no nonce is that of another one.</param>
    /// <param name="connections">How many clients of .NET it uses.</param>
    /// <param name="each">Requests of each.</param>
    /// <param name="places">Paths to ask below, at random.</param>
    /// <returns>How many answers came.</returns>
    public static async Task<int> AskAsync(Uri address, int number, int connections, int each, params string[] places)
    {
        var random = new Random(number);
        var answers = 0;
        for (var connection = 0; connection < connections; connection++)
        {
            using var client = ProxyHost.Client(address);
            for (var i = 0; i < each; i++)
            {
                var nonce = $"{number}-{connection}-{i}-";
                var mood = random.Next(16);
                using var leaving = new CancellationTokenSource();
                using var request = new HttpRequestMessage(
                    mood % 3 == 0 ? HttpMethod.Get : HttpMethod.Post, $"{places[random.Next(places.Length)]}/{mood}/{nonce}");
                if (mood % 3 != 0) request.Content = new StringContent(nonce + new string('x', random.Next(20_000)));
                request.Headers.TransferEncodingChunked = mood % 3 == 2;
                try
                {
                    var asking = client.SendAsync(request, leaving.Token);
                    if (random.Next(20) == 0) await leaving.CancelAsync();
                    using var answer = await asking;
                    var body = await answer.Content.ReadAsStringAsync(CancellationToken.None);
                    if (answer.StatusCode == HttpStatusCode.BadGateway) continue;
                    Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                    Assert.Equal(nonce, Assert.Single(answer.Headers.GetValues("X-Nonce")));
                    Assert.StartsWith(nonce, body, StringComparison.Ordinal);
                    answers++;
                }
                catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
                {
                    // The client left, or the answer broke off.
                }
            }
        }

        return answers;
    }

    /// <summary>Answers as the request's mood says.</summary>
    public static async Task AnswerAsync(HttpContext context)
    {
        var parts = context.Request.Path.Value!.Split('/');
        var (mood, nonce) = (int.Parse(parts[^2], CultureInfo.InvariantCulture), parts[^1]);
        context.Response.Headers["X-Nonce"] = nonce;
        if (mood == 5) context.Abort();
        if (mood == 6) context.Response.Headers.Connection = "close";
        if (mood != 7) await context.Request.Body.CopyToAsync(Stream.Null);
        if (mood == 8) context.Response.ContentLength = nonce.Length + 30_000;
        await context.Response.WriteAsync(nonce);
        if (mood == 9) context.Abort();
        if (mood >= 10) await context.Response.WriteAsync(new string('y', 3000 * mood));
        if (mood == 8) await context.Response.WriteAsync(new string('z', 30_000));
    }
}
