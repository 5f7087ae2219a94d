namespace StickyWs.Examples.RollingDeploy;

/// <summary>What a backend has received: the numbers of each client's messages, in the order in which they came.</summary>
internal sealed class Received
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<int>> _numbers = [];

    public void Add(string client, int number)
    {
        lock (_lock)
        {
            if (!_numbers.TryGetValue(client, out var numbers)) _numbers[client] = numbers = [];
            numbers.Add(number);
        }
    }

    public Dictionary<string, int[]> Read()
    {
        lock (_lock) return _numbers.ToDictionary(client => client.Key, client => client.Value.ToArray());
    }
}
